"""How soon a service answers after Ready: measured, and the case that judges it seen to fail."""

import json

import pytest

from fixtures.answering import await_answers
from suites.server import test_first_answers as first_answers
from tests.http_server import Answer, Asked, serving
from tools.explain import Violation
from tools.openai.connection import Connection
from tools.waiting import timeouts

Recorded = list[tuple[str, float, float, str]]


def judge(answers: list[int], budget: float) -> Recorded:
    """Call the case for a service that answers with these statuses by turns, the last for ever."""

    def answer(_: Asked) -> Answer:
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(status, json.dumps({"choices": []}) if status == 200 else "no healthy upstream")

    with serving(answer) as (url, _):
        found = await_answers(Connection("model"), url, budget)
    recorded: Recorded = []

    def record(what: str, seconds: float, budget: float, note: str = "") -> None:
        recorded.append((what, seconds, budget, note))

    first_answers.test_answers_soon_after_ready(lambda: found, record)
    return recorded


def test_time_and_failures_are_recorded() -> None:
    ((_, seconds, budget, note),) = judge([503, 503, 200], budget=10)
    assert 0 < seconds < budget
    assert note == "after 2 that were not good"


def test_time_out_that_is_overridden_counts() -> None:
    timeouts.override({"answers": 0.2})
    try:
        with serving(lambda _: Answer(503, "no healthy upstream")) as (url, _):
            found = await_answers(Connection("model"), url)
    finally:
        timeouts.override({})
    assert found.budget == 0.2
    assert "--timeout answers=SECONDS" in str(found.problem)


def test_a_service_that_does_not_answer_fails_the_case() -> None:
    with pytest.raises(Violation, match=r"HTTP 503"):
        judge([503], budget=0.2)
