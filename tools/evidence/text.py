"""Text for a person: aligned tables, ages, long texts without their middle. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

# A cell that is longer moves the rest of its row.
_COLUMN = 110


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under a head, in columns; empty without rows. The last column is as wide as it needs to be."""
    found = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    if not found:
        return ""
    lines = [list(head), *found]
    widths = [min(_COLUMN, max(len(line[place]) for line in lines)) for place in range(len(head) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    )


def cut(text: str, limit: int) -> str:
    """A text of at most about `limit` characters: whole lines of its middle are left out, and the text says so."""
    if len(text) <= limit:
        return text
    head = text[: limit // 3]
    head = head[: head.rfind("\n") + 1] or head
    tail = text[-(limit * 2 // 3) :]
    tail = tail[tail.find("\n") + 1 :] or tail
    left = text[len(head) : len(text) - len(tail)]
    note = f"# [... {len(left)} characters, {left.count(chr(10))} lines left out here ...]"
    return f"{head.rstrip(chr(10))}\n{note}\n{tail}"


def age(since: str, now: datetime) -> str:
    """How long ago a time (RFC 3339) was; empty for none."""
    try:
        seconds = int((now - datetime.fromisoformat(since)).total_seconds())
    except (ValueError, TypeError):
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)
