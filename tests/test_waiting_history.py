"""What was seen while waiting, told so that a person can read it."""

from tools.kube.errors import KubeError
from tools.waiting.history import History


class Clock:
    """Goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_same_observations_are_one_row_with_times() -> None:
    clock = Clock()
    history = History(clock)
    for text, seconds in (("no pod", 1.0), ("no pod", 2.0), ("one pod", 4.0), ("no pod", 7.0)):
        history.saw(text)
        clock.now += seconds
    assert history.lines() == ("seen:           0.0 s to 7.0 s, 3 times: no pod\n                at 3.0 s: one pod")
    assert history.seconds == 14.0
    assert history.unseen == 7.0


def test_durations_versions_and_request_ids_make_no_difference() -> None:
    history = History(Clock())
    for text in (
        "HTTP 503 after 0.02 s in Pod a (resourceVersion 17), request 0b3f9c52-0d8e-4d0c-9a55-7a3f3a0f8f10",
        "HTTP 503 after 0.13 s in Pod a (resourceVersion 18), request 9d1b2c3d-0d8e-4d0c-9a55-7a3f3a0f8f11",
    ):
        history.saw(text)
    assert "2 times: HTTP 503 after 0.13 s in Pod a (resourceVersion 18)" in history.lines()
    assert history.lines().count("\n") == 0


def test_many_are_told_by_the_first_and_the_last() -> None:
    history = History(Clock())
    for number in range(40):
        history.saw(f"{number} pods")
    rows = history.lines().split("\n")
    assert len(rows) == 11
    assert "0 pods" in rows[0]
    assert "(30 others in between)" in rows[4]
    assert "39 pods" in rows[-1]


def test_long_ones_are_cut_and_lines_are_joined() -> None:
    history = History(Clock())
    history.saw("\n- one\n- two " + "x" * 500)
    assert "- one - two x" in history.lines()
    assert len(history.lines()) < 300


def test_nothing_seen_is_told_too() -> None:
    clock = Clock()
    history = History(clock)
    clock.now += 5
    history.failed(KubeError("GET /x", 0, "refused"))
    assert history.lines() == (
        "seen:           nothing\nlast API error: at 5.0 s (1 in all): GET /x: no answer: refused"
    )
    assert history.unseen == 5.0
