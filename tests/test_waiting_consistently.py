"""Looking on for a while: one violation ends it, hiccups of the API server do not."""

import re

import pytest

from tests.test_waiting_eventually import BUSY, UNANSWERED, Turns
from tools.kube.errors import KubeError
from tools.waiting.consistently import consistently
from tools.waiting.failure import NotHeld
from tools.waiting.history import NotObserved
from tools.waiting.patience import patience


def test_is_looked_at_from_the_beginning_to_the_end() -> None:
    turns = Turns(True)
    found = consistently("it", turns, for_seconds=0.25, pause=0.1)
    assert found.times == turns.asked >= 3
    assert found.seconds >= 0.25


def test_first_violation_ends_it() -> None:
    turns = Turns(True, True, False, True)
    with pytest.raises(NotHeld) as caught:
        consistently("the answer to be yes", turns, for_seconds=60, pause=0.01)
    text = str(caught.value)
    assert turns.asked == 3
    assert "expected:       the answer to be yes, all the time, for 60 s: a yes" in text
    assert re.search(r"observed:       a no \(after \d\.\d s\)", text)
    assert "held 2 times" in text
    assert "probable cause: nobody said yes" in text


def test_hiccup_of_the_api_is_no_violation() -> None:
    assert consistently("it", Turns(True, BUSY, True), for_seconds=0.2, pause=0.02).times > 1


def test_api_that_does_not_answer_is_no_verdict() -> None:
    with pytest.raises(NotObserved, match="last API error"):
        consistently("it", Turns(True, UNANSWERED), for_seconds=0.2, pause=0.02)


def test_refusal_ends_it() -> None:
    with pytest.raises(KubeError, match="forbidden"):
        consistently("it", Turns(True, KubeError("GET /x", 403, "forbidden")), for_seconds=60, pause=0.01)


def test_patience_does_not_shorten_it() -> None:
    with patience(0.01):
        assert consistently("it", Turns(True), for_seconds=0.2, pause=0.05).seconds >= 0.2
