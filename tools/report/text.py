"""Text of others made fit for a report: pod logs, bodies of answers and messages of controllers may hold anything."""

import re

# Colours and other terminal sequences: CSI, OSC (ends with BEL or ST), and short ones.
_TERMINAL = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-Z\\\\^-~])")
# What XML 1.0 forbids (but for tab and newline), C1 controls, and what reverses the direction of text that follows.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """The text without terminal sequences; what no report can show becomes the replacement character."""
    lines = _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub(_REPLACEMENT, lines)


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, cleaned, cut at `limit` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clipped(text: str, limit: int, whole: str) -> str:
    """A long text without its middle, because the cause is at the start and the end of most.

    Args:
        text: any.
        limit: characters that are kept.
        whole: where the whole text is.
    """
    if len(text) <= limit:
        return text
    head, tail = text[: limit * 2 // 3], text[-(limit // 3) :]
    left_out = len(text) - len(head) - len(tail)
    return f"{head}\n… {left_out} characters left out here; the whole text is in {whole} …\n{tail}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 case`, `2 cases`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
