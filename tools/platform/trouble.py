"""What is wrong with an installation, one finding each, with its own cause and the command that shows it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.explain import bullets, check


@dataclass(frozen=True)
class Trouble:
    """A finding.

    Attributes:
        seen: what was seen, and where.
        cause: why it is so, as far as it can be told.
        next_step: the command that shows more, or puts it right.
    """

    seen: str
    cause: str = ""
    next_step: str = ""

    @property
    def line(self) -> str:
        """In one line, for a reason why something else was not tried."""
        return " ".join(f"{self.seen}{f' ({self.cause})' if self.cause else ''}".split())


def demand(expected: str, found: Sequence[Trouble]) -> None:
    """Raise a Violation with all findings, unless there is none."""
    __tracebackhide__ = True
    check(
        not found,
        expected,
        bullets([each.seen for each in found]) if found else "",
        cause="; ".join(_once(each.cause for each in found)),
        next_step="\n".join(_once(each.next_step for each in found)),
    )


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
