"""Waiting by watch, against a real HTTP server."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.kube_server import Answer, Serve
from tools.kube.client import Kube, Object
from tools.kube.convergence import NotConverged, Selection, converge, gone
from tools.kube.errors import KubeError
from tools.kube.kinds import POD
from tools.waiting.history import NotObserved
from tools.waiting.patience import patience
from tools.waiting.timeouts import Budget

ONE = Selection(POD, "ns", "a")


@pytest.fixture
def kube_of(serve: Serve) -> Callable[[Answer], Kube]:
    return lambda answer: serve(answer)[1]


def _pod(phase: str, version: str = "2") -> Object:
    return {"metadata": {"name": "a", "namespace": "ns", "resourceVersion": version}, "status": {"phase": phase}}


def _serving(listed: list[Object], events: list[Any]) -> Answer:
    def answer(_method: str, _path: str, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        return (200, events) if "watch" in query else (200, {"metadata": {"resourceVersion": "1"}, "items": listed})

    return answer


def _runs(found: list[Object]) -> str:
    return "" if found and found[0]["status"]["phase"] == "Running" else "it does not run"


def test_what_is_so_already_needs_no_change(kube_of: Callable[[Answer], Kube]) -> None:
    found = converge(kube_of(_serving([_pod("Running")], [])), "a pod to run", ONE, _runs, budget=5)
    assert found.objects[0]["status"]["phase"] == "Running"
    assert found.seconds < 5


def test_change_is_seen_when_it_happens(kube_of: Callable[[Answer], Kube]) -> None:
    events = [{"type": "BOOKMARK", "object": _pod("")}, {"type": "MODIFIED", "object": _pod("Running")}]
    assert converge(kube_of(_serving([_pod("Pending")], events)), "a pod to run", ONE, _runs, budget=5).seconds < 5


def test_deletion_is_seen(kube_of: Callable[[Answer], Kube]) -> None:
    events = [{"type": "DELETED", "object": _pod("Running")}]
    assert converge(kube_of(_serving([_pod("Running")], events)), "it to go", ONE, gone, budget=5).objects == []


def test_budget_ends_with_what_was_lacking(kube_of: Callable[[Answer], Kube]) -> None:
    kube = kube_of(_serving([_pod("Pending")], []))
    with pytest.raises(NotConverged) as caught:
        converge(kube, "a pod to run", ONE, _runs, budget=0.2)
    assert caught.value.last[0]["status"]["phase"] == "Pending"
    text = str(caught.value)
    assert "expected:       a pod to run within 0.2 s" in text
    assert "it does not run" in text
    assert "-n ns describe pods a" in text


def test_failure_tells_what_was_seen_before(kube_of: Callable[[Answer], Kube]) -> None:
    def phase(found: list[Object]) -> str:
        return f"its phase is {found[0]['status']['phase'] or 'unknown'}"

    events = [{"type": "MODIFIED", "object": _pod(each)} for each in ("Unknown", "Pending", "Unknown", "Pending")]
    with pytest.raises(NotConverged) as caught:
        converge(
            kube_of(_serving([_pod("Pending")], events)),
            "a pod to run",
            ONE,
            phase,
            budget=Budget(0.3, "service-ready"),
        )
    text = str(caught.value)
    assert "within 0.3 s (--timeout service-ready=SECONDS changes it)" in text
    # The first list, two events, and the look at the end.
    assert re.search(r"seen:           \d\.\d s to \d\.\d s, 4 times: its phase is Pending", text)
    assert "2 times: its phase is Unknown" in text


def test_patience_shortens_it(kube_of: Callable[[Answer], Kube]) -> None:
    with patience(0.1), pytest.raises(NotConverged, match=r"within 0\.1 s \(of 60 s: a fault is in effect\)"):
        converge(kube_of(_serving([_pod("Pending")], [])), "a pod to run", ONE, _runs, budget=60)


class Scripted:
    """Answers lists and watches by turns, the last for ever; a list of events is a watch that stays open."""

    def __init__(self, *turns: tuple[int, Any]) -> None:
        self._turns = list(turns)

    def __call__(self, *_: Any) -> tuple[int, Any]:
        return self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]


def _listed(phase: str) -> tuple[int, Any]:
    return 200, {"metadata": {"resourceVersion": "1"}, "items": [_pod(phase)]}


def _ended_watch(*events: Any) -> tuple[int, Any]:
    return 200, b"".join(json.dumps(each).encode() + b"\n" for each in events)


_GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old resource version"}}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param([(503, {"message": "shutting down"})], id="no list"),
        pytest.param([_listed("Pending"), (429, {"message": "slow down"})], id="no watch"),
        pytest.param([_listed("Pending"), (410, {"message": "too old"})], id="watch from too old a version"),
        pytest.param([_listed("Pending"), _ended_watch(_GONE)], id="watch that becomes too old"),
        pytest.param([_listed("Pending"), _ended_watch()], id="watch that ends"),
        pytest.param([_listed("Pending"), (200, b'{"type": "MODI')], id="watch that is cut"),
    ],
)
def test_lost_watch_begins_again_with_a_list(kube_of: Callable[[Answer], Kube], trouble: list[tuple[int, Any]]) -> None:
    answer = Scripted(*trouble, _listed("Running"))
    assert converge(kube_of(answer), "a pod to run", ONE, _runs, budget=5).seconds < 5


def test_lost_watch_is_told(kube_of: Callable[[Answer], Kube]) -> None:
    answer = Scripted((503, {"message": "shutting down"}), _listed("Pending"), (200, []), _listed("Pending"))
    with pytest.raises(NotConverged) as caught:
        converge(kube_of(answer), "a pod to run", ONE, _runs, budget=0.5)
    assert "last API error: at 0.0 s (1 in all): GET /api/v1/namespaces/ns/pods: 503: shutting down" in str(
        caught.value
    )


def test_api_that_does_not_answer_is_not_asked_all_the_time(kube_of: Callable[[Answer], Kube]) -> None:
    asked = 0

    def answer(*_: Any) -> tuple[int, Any]:
        nonlocal asked
        asked += 1
        return 503, {"message": "shutting down"}

    with pytest.raises(NotObserved, match=r"a pod to run within 0\.5 s") as caught:
        converge(kube_of(answer), "a pod to run", ONE, _runs, budget=0.5)
    assert not isinstance(caught.value, AssertionError)
    assert "503: shutting down" in str(caught.value)
    assert asked <= 4


def test_what_a_hanging_watch_did_not_tell_is_seen_at_the_end(kube_of: Callable[[Answer], Kube]) -> None:
    answer = Scripted(_listed("Pending"), (200, []), _listed("Running"))
    found = converge(kube_of(answer), "a pod to run", ONE, _runs, budget=0.3)
    assert found.objects[0]["status"]["phase"] == "Running"


def test_dead_cluster_is_told_although_the_api_does_not_answer(kube_of: Callable[[Answer], Kube]) -> None:
    def dead() -> None:
        raise RuntimeError("kube-apiserver died")

    with pytest.raises(RuntimeError, match="kube-apiserver died"):
        converge(kube_of(lambda *_: (503, {})), "a pod to run", ONE, _runs, budget=60, alive=dead)


def test_dead_cluster_is_told_before_the_budget_ends(kube_of: Callable[[Answer], Kube]) -> None:
    def dead() -> None:
        raise RuntimeError("kubelet died")

    with pytest.raises(RuntimeError, match="kubelet died"):
        converge(kube_of(_serving([_pod("Pending")], [])), "a pod to run", ONE, _runs, budget=60, alive=dead)


def test_api_that_refuses_is_no_verdict(kube_of: Callable[[Answer], Kube]) -> None:
    with pytest.raises(KubeError, match="forbidden"):
        converge(kube_of(lambda *_: (403, {"message": "forbidden"})), "a pod to run", ONE, _runs, budget=5)


def test_what_keeps_it_is_named() -> None:
    left = {"metadata": {"name": "a", "finalizers": ["serving.kserve.io/llmisvc-finalizer"]}}
    assert gone([left]) == "still there: a (finalizers: serving.kserve.io/llmisvc-finalizer)"
