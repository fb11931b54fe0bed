"""Log lines of controllers made short: JSON of zap becomes time, level, message, and what else it says. Pure."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tools.evidence.text import similar

# Said in every line, or long and about the program itself.
_LEFT_OUT = re.compile(
    r"level|ts|msg|logger|caller|stacktrace|reconcileID|controller(Group|Kind)?|namespace|name|LLMInferenceService",
    re.IGNORECASE,
)
_TROUBLE = re.compile(r"^\S+\s+(error|warn\w*|d?panic|fatal)\b|^panic:", re.IGNORECASE)
_LONGEST = 160


def short(line: str) -> str:
    """A line for a person; lines that are no such JSON stay as they are."""
    try:
        found = json.loads(line) if line.startswith("{") else None
    except ValueError:
        return line
    if not isinstance(found, dict) or "msg" not in found:
        return line
    told = [_clock(found.get("ts")), str(found.get("level", "")), str(found.get("logger", "")), str(found["msg"])]
    rest = [f"{key}={_value(value)}" for key, value in found.items() if not _LEFT_OUT.fullmatch(key)]
    return "  ".join(part for part in [*told, *rest] if part)


def most_telling(lines: Sequence[str], number: int) -> list[str]:
    """The last lines, in order: up to half are such as tell of trouble; of others that are similar only the last."""
    troubled = [place for place, line in enumerate(lines) if _TROUBLE.match(line)][-(number // 2) :]
    last = {similar(line): place for place, line in enumerate(lines)}
    others = sorted(set(last.values()) - set(troubled))
    return [lines[place] for place in sorted([*troubled, *others[-(number - len(troubled)) :]])]


def _clock(stamp: Any) -> str:
    """RFC 3339 whatever zap was told to write."""
    if isinstance(stamp, int | float):
        return f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
    return str(stamp or "")


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
