"""Waiting for the data plane: several in a row, and a failure that tells what was seen."""

import re
import time
from collections.abc import Callable

import pytest

from tools.explain import Violation, check
from tools.kube.errors import KubeError, NotFound
from tools.waiting.eventually import eventually
from tools.waiting.failure import NotSettled
from tools.waiting.history import NotObserved
from tools.waiting.patience import patience
from tools.waiting.timeouts import Budget

UNANSWERED = KubeError("GET /api/v1/pods", 0, "connection refused")
BUSY = KubeError("GET /api/v1/pods", 503, "apiserver is shutting down")


class Turns:
    """Holds or not, by turns, the last for ever; an exception as a turn is raised."""

    def __init__(self, *turns: bool | Exception) -> None:
        self._turns = list(turns)
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        if isinstance(turn, Exception):
            raise turn
        check(turn, "a yes", "a no", cause="nobody said yes", next_step="ask again", details="curl …")


def failure_of(assertion: Callable[[], None], budget: float = 0.3, in_a_row: int = 3) -> str:
    with pytest.raises(NotSettled) as caught:
        eventually("the answer to come", assertion, budget=budget, in_a_row=in_a_row)
    return str(caught.value)


def test_holds_at_once() -> None:
    turns = Turns(True)
    found = eventually("it", turns, budget=5)
    assert (turns.asked, found.tries) == (3, 0)
    assert found.seconds < 1


def test_begins_anew_after_a_failure() -> None:
    turns = Turns(False, True, True, False, True)
    found = eventually("it", turns, budget=5)
    assert (turns.asked, found.tries) == (7, 2)


def test_hiccup_of_the_api_breaks_the_row_and_is_waited_for() -> None:
    turns = Turns(True, True, UNANSWERED, BUSY, True)
    found = eventually("it", turns, budget=5)
    assert (turns.asked, found.tries) == (7, 2)


def test_failure_has_all_rows_of_the_last_violation() -> None:
    text = failure_of(Turns(False), Budget(0.3, "answers"))
    assert "expected:       the answer to come within 0.3 s (--timeout answers=SECONDS changes it): a yes" in text
    assert re.search(r"observed:       a no \(seen \d\.\d s before the end\)", text)
    assert "probable cause: nobody said yes" in text
    assert "next:           ask again" in text
    assert text.endswith("curl …")


def test_failure_tells_the_best_row_and_not_the_last_one() -> None:
    text = failure_of(Turns(True, True, False))
    assert "best streak 2 of 3" in text
    assert "times: it held" in text
    assert "times: a no" in text


def test_failure_tells_the_last_api_error() -> None:
    text = failure_of(Turns(False, BUSY, UNANSWERED, False), budget=0.8)
    assert "last API error: at 0." in text
    assert "(2 in all): GET /api/v1/pods: no answer: connection refused" in text


def test_budget_without_a_name_cannot_be_changed() -> None:
    assert "--timeout" not in failure_of(Turns(False))


def test_last_look_is_at_the_end_of_the_budget() -> None:
    started = time.monotonic()
    failure_of(Turns(False), budget=0.35)
    # At 0, 0.1, 0.3 and 0.35 s: the next pause would have ended at 0.7 s.
    assert 0.35 <= time.monotonic() - started < 0.65


def test_what_holds_too_late_has_failed() -> None:
    assert "it held first after" in failure_of(lambda: time.sleep(0.3), budget=0.1, in_a_row=1)


def test_broken_instrument_is_not_waited_for() -> None:
    with pytest.raises(KeyError):
        eventually("it", Turns(KeyError("x")), budget=60)


@pytest.mark.parametrize("error", [KubeError("GET /x", 403, "forbidden"), NotFound("GET /x", 404, "no")])
def test_refusal_is_not_waited_for(error: KubeError) -> None:
    with pytest.raises(type(error)):
        eventually("it", Turns(False, error), budget=60)


def test_api_that_never_answers_is_no_failure_of_the_product() -> None:
    with pytest.raises(NotObserved, match="the API server did not answer") as caught:
        eventually("it", Turns(UNANSWERED), budget=0.2)
    assert not isinstance(caught.value, AssertionError)
    assert "waiting for it within 0.2 s" in str(caught.value)


def test_api_that_is_gone_for_most_of_the_time_neither() -> None:
    with pytest.raises(NotObserved):
        eventually("it", Turns(False, UNANSWERED), budget=0.5)


def test_api_that_never_showed_it_broken_neither() -> None:
    with pytest.raises(NotObserved):
        eventually("it", Turns(True, UNANSWERED, True, BUSY), budget=0.15)


def test_dead_cluster_is_told_at_once() -> None:
    def dead() -> None:
        raise RuntimeError("kubelet died")

    for turn in (False, UNANSWERED):
        with pytest.raises(RuntimeError, match="kubelet died"):
            eventually("it", Turns(turn), budget=60, alive=dead)


def test_patience_shortens_the_wait_and_says_so() -> None:
    with patience(0.1):
        text = failure_of(Turns(False), Budget(60, "answers"))
    assert "within 0.1 s (of 60 s: a fault is in effect)" in text


def test_patience_never_lengthens_a_wait() -> None:
    with patience(0.1), patience(60), pytest.raises(NotSettled, match=r"within 0\.1 s"):
        eventually("it", Turns(False), budget=30)
    with patience(60), pytest.raises(NotSettled, match=r"within 0\.1 s"):
        eventually("it", Turns(False), budget=0.1)


def test_patience_ends_with_its_block() -> None:
    with patience(0.1):
        pass
    assert eventually("it", Turns(False, False, False, True), budget=5).seconds > 0.1


def test_violation_inside_a_wait_inside_a_wait_keeps_its_words() -> None:
    def inner() -> None:
        eventually("the inner thing", Turns(False), budget=0.05)

    with pytest.raises(Violation) as caught:
        eventually("the outer thing", inner, budget=0.1)
    text = str(caught.value)
    assert "the outer thing within 0.1 s: the inner thing within 0.05 s: a yes" in text
    assert "probable cause: nobody said yes" in text
