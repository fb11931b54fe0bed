"""Waiting for the data plane: several in a row, and the last failure when it never settles."""

import pytest

from tools.explain import Violation, check
from tools.openai.settling import settle


class _Answers:
    """Holds or not, by turns."""

    def __init__(self, *turns: bool) -> None:
        self._turns = list(turns)
        self.asked = 0
        self._last = True

    def __call__(self) -> None:
        self.asked += 1
        holds = self._turns.pop(0) if self._turns else self._last
        self._last = holds
        check(holds, "yes", f"no, at try {self.asked}")


def test_holds_at_once() -> None:
    answers = _Answers(True)
    found = settle("it", answers, budget=5)
    assert (answers.asked, found.tries) == (3, 0)


def test_begins_anew_after_a_failure() -> None:
    answers = _Answers(False, True, True, False, True)
    found = settle("it", answers, budget=5)
    assert (answers.asked, found.tries) == (7, 2)


def test_last_failure_is_told() -> None:
    with pytest.raises(Violation, match="no, at try"):
        settle("it", _Answers(False), budget=0.15)


def test_broken_instrument_is_not_waited_for() -> None:
    def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        settle("it", broken, budget=60)
