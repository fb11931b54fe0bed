"""Records between marks: what was sent in each slice, what became of it, and how long it was dark. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tools.load.record import NANOSECONDS, RequestRecord


@dataclass(frozen=True)
class Mark:
    """Something that happened.

    Attributes:
        at_ns: when, by the clock of the records.
        what: in a few words, for example `pod gone`.
    """

    at_ns: int
    what: str


@dataclass(frozen=True)
class Slice:
    """What was sent between two marks.

    Attributes:
        start: the mark that begins it.
        end_ns: when the next mark was.
        records: that were sent in it, in the order in which they were.
    """

    start: Mark
    end_ns: int
    records: tuple[RequestRecord, ...]

    @property
    def failed(self) -> list[RequestRecord]:
        """Those that failed."""
        return [each for each in self.records if not each.ok]


def slices(records: Iterable[RequestRecord], marks: Sequence[Mark]) -> list[Slice]:
    """A slice for each mark, up to the next; the last has all that was sent after it.

    Args:
        records: of one engine.
        marks: in order; the first is no later than any record.
    """
    ordered = sorted(records, key=lambda each: each.sent_ns)
    ends = [*(each.at_ns for each in marks[1:]), max([*(each.eof_ns for each in ordered), marks[-1].at_ns]) + 1]
    return [
        Slice(mark, end, tuple(each for each in ordered if mark.at_ns <= each.sent_ns < end))
        for mark, end in zip(marks, ends, strict=True)
    ]


def dark_seconds(records: Iterable[RequestRecord], since_ns: int) -> float:
    """From a moment to when the first of the requests was sent after which none failed; 0 if none failed.

    This is the time to recover. It is infinite where the last request failed.
    """
    later = sorted((each for each in records if each.sent_ns >= since_ns), key=lambda each: each.sent_ns)
    failed = [each.sent_ns for each in later if not each.ok]
    if not failed:
        return 0.0
    after = [each.sent_ns for each in later if each.sent_ns > failed[-1]]
    return (after[0] - since_ns) / NANOSECONDS if after else float("inf")


def longest_gap(records: Iterable[RequestRecord]) -> float:
    """The longest time, in seconds, in which no request that was sent would be answered."""
    good = sorted(each.sent_ns for each in records if each.ok)
    return max(((after - before) / NANOSECONDS for before, after in pairwise(good)), default=0.0)


def text(found: Sequence[Slice]) -> str:
    """A line for each slice: when it began, how many were sent, answered and failed, by whom."""
    if not found:
        return "no requests"
    zero = found[0].start.at_ns
    rows = [("seconds", "since", "sent", "failed", "answered by")]
    for each in found:
        rows.append(
            (
                f"{(each.start.at_ns - zero) / NANOSECONDS:7.1f}",
                each.start.what,
                f"{len(each.records)}",
                _failures(each.failed) or "-",
                _pods(each.records) or "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _failures(failed: Sequence[RequestRecord]) -> str:
    kinds = Counter(f"{each.error_kind} {each.status or ''}".strip() for each in failed)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def _pods(records: Iterable[RequestRecord]) -> str:
    pods = Counter(each.pod for each in records if each.ok and each.pod)
    return ", ".join(f"{pod} {count}" for pod, count in sorted(pods.items()))
