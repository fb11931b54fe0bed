"""Text for a person: aligned tables, ages, long texts without their middle. Pure."""

import re
from collections import defaultdict
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
    note = f"# [... {counted(len(left), 'character')}, {counted(left.count(chr(10)), 'line')} left out here ...]"
    return f"{head.rstrip(chr(10))}\n{note}\n{tail}"


def similar(line: str) -> str:
    """What lines have in common that differ in numbers only, such as times and counts."""
    return re.sub(r"\d+", "#", line)


def folded(lines: Sequence[str], keep: int = 5) -> list[str]:
    """Lines of a log without most of those that are similar, such as probes: the first and the last few are kept."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        places[similar(line)].append(place)
    gone = {found[0]: found[1:-keep] for found in places.values() if len(found) > keep + 2}
    left_out = {place for found in gone.values() for place in found}
    shown: list[str] = []
    for place, line in enumerate(lines):
        shown += [line] if place not in left_out else []
        shown += [f"# [... {len(gone[place])} more like it ...]"] if place in gone else []
    return shown


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


def counted(number: int, noun: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {noun if number == 1 else noun + 's'}"


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)
