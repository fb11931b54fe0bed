"""Records between marks, and how long it was dark."""

import math

from tests.load_records import record
from tools.load.record import NANOSECONDS, ErrorKind, RequestRecord
from tools.load.timeline import Mark, dark_seconds, longest_gap, slices, text

_MARKS = [Mark(0, "begin"), Mark(2 * NANOSECONDS, "pod gone"), Mark(4 * NANOSECONDS, "replaced")]


def _records() -> list[RequestRecord]:
    bad = {2.5: ErrorKind.HTTP, 3.0: ErrorKind.TRUNCATED}
    return [
        record(at / 2, bad.get(at / 2, ErrorKind.NONE), status=503 if at == 5 else 200, pod="a" if at < 4 else "b")
        for at in range(10)
    ]


def test_every_record_is_in_the_slice_in_which_it_was_sent() -> None:
    found = slices(_records()[::-1], _MARKS)
    assert [len(each.records) for each in found] == [4, 4, 2]
    assert [len(each.failed) for each in found] == [0, 2, 0]


def test_it_is_dark_until_the_first_request_after_which_none_fails() -> None:
    found = _records()
    assert dark_seconds(found, 2 * NANOSECONDS) == 1.5
    assert dark_seconds(found, 4 * NANOSECONDS) == 0
    assert dark_seconds(found[:7], 2 * NANOSECONDS) == math.inf
    assert longest_gap(found) == 1.5


def test_the_text_has_a_line_for_each_slice() -> None:
    lines = [line.split("  ") for line in text(slices(_records(), _MARKS)).splitlines()]
    assert [[cell.strip() for cell in line if cell.strip()] for line in lines] == [
        ["seconds", "since", "sent", "failed", "answered by"],
        ["0.0", "begin", "4", "-", "a 4"],
        ["2.0", "pod gone", "4", "1 http 503, 1 truncated 200", "b 2"],
        ["4.0", "replaced", "2", "-", "b 2"],
    ]
    assert text([]) == "no requests"
