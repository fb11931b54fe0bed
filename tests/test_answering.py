"""How soon a service answers after Ready: measured, and the case that judges it seen to fail."""

import json
from typing import cast

import pytest

from fixtures.answering import await_answers
from fixtures.deployment import Deployed
from suites.server import test_first_answers as first_answers
from tests.http_server import Answer, Asked, serving
from tools.explain import Violation
from tools.kube.client import Kube
from tools.kube.convergence import Converged
from tools.kube.llm_service import LlmService
from tools.profile import load_profile

Recorded = list[tuple[str, float, float, str]]


def judge(answers: list[int], budget: float) -> Recorded:
    """Call the case for a service that answers with these statuses by turns, the last for ever."""

    def answer(_: Asked) -> Answer:
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(status, json.dumps({"choices": []}) if status == 200 else "no healthy upstream")

    with serving(answer) as (url, _):
        found = await_answers(url, "model", budget)
    service = LlmService(cast(Kube, None), "ns", "vllm", "gateway")
    deployed = Deployed(service, load_profile("local-gpu"), Converged("Ready", 1.0, 2.0, []), found)
    recorded: Recorded = []

    def record(what: str, seconds: float, budget: float, note: str = "") -> None:
        recorded.append((what, seconds, budget, note))

    first_answers.test_answers_soon_after_ready(service, deployed, record)
    return recorded


def test_time_and_failures_are_recorded() -> None:
    ((_, seconds, budget, note),) = judge([503, 503, 200], budget=10)
    assert 0 < seconds < budget
    assert note == "after 2 that were not good"


def test_a_service_that_does_not_answer_fails_the_case() -> None:
    with pytest.raises(Violation, match=r"HTTP 503"):
        judge([503], budget=0.2)
