"""Waiting by watch, against a real HTTP server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.kube_server import Answer, Serve
from tools.kube.client import Kube, Object
from tools.kube.convergence import NotConverged, Selection, converge, gone
from tools.kube.errors import KubeError
from tools.kube.kinds import POD

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
    assert "expected:       a pod to run within 0 s" in text
    assert "it does not run" in text
    assert "-n ns describe pods a" in text


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
