"""Evidence: what is not well comes first, and one unreadable part hides nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kube_server import CONTEXT, KubeServer
from tools.kube.client import Kube
from tools.kube.snapshot import NOT_WELL, condition_lines, snapshot

_SERVICE = {
    "metadata": {"name": "svc", "namespace": "ns", "generation": 2, "managedFields": ["long"]},
    "status": {
        "observedGeneration": 1,
        "conditions": [{"type": "Ready", "status": "False", "reason": "Why"}, {"type": "Fine", "status": "True"}],
    },
}
_POD = {
    "metadata": {"name": "pod-1", "namespace": "ns"},
    "spec": {"nodeName": "node", "containers": [{"name": "main"}]},
    "status": {"phase": "Pending", "containerStatuses": [{"name": "main", "state": {"waiting": {"reason": "Why2"}}}]},
}
_EVENTS = [
    {"involvedObject": {"kind": "Pod", "name": "pod-1"}, "type": kind, "reason": reason, "lastTimestamp": when}
    for kind, reason, when in (("Warning", "Late", "2"), ("Normal", "Usual", "1"), ("Warning", "Early", "0"))
]


@pytest.fixture
def kube(tmp_path: Path) -> Iterator[Kube]:
    def answer(_method: str, path: str, _query: dict[str, str], _body: Any) -> tuple[int, Any]:
        kind = path.rpartition("/")[2]
        if kind == "httproutes":
            return 403, {"message": "no rights"}
        if kind == "log":
            return 200, b"a line of the log"
        found = {"llminferenceservices": [_SERVICE], "pods": [_POD], "events": _EVENTS}
        return 200, {"metadata": {"resourceVersion": "1"}, "items": found.get(kind, [])}

    server = KubeServer(answer)
    yield Kube(server.kubeconfig(tmp_path), CONTEXT)
    server.close()


def test_every_part_is_there_although_one_cannot_be_read(kube: Kube) -> None:
    found = snapshot(kube, "ns")
    assert list(found) == [NOT_WELL, "conditions", "pods", "events", "logs", "objects"]
    assert "no rights" in found[NOT_WELL]
    assert "Ready=False" in found[NOT_WELL]
    assert "Why2" in found["pods"]
    assert "a line of the log" in found["logs"]


def test_events_are_in_order_of_time(kube: Kube) -> None:
    lines = snapshot(kube, "ns")["events"].splitlines()
    assert [line.split()[3].rstrip(":") for line in lines] == ["Early", "Usual", "Late"]


def test_only_bad_conditions_when_asked_for() -> None:
    found = {"kind": "LLMInferenceService"} | _SERVICE
    assert condition_lines(found, only_bad=True) == [
        "LLMInferenceService svc: Ready=False (Why)",
        "LLMInferenceService svc: observedGeneration 1 of 2",
    ]
    assert len(condition_lines(found)) == 3


def test_object_without_conditions_says_so() -> None:
    assert condition_lines({"kind": "Gateway", "metadata": {"name": "gw"}}) == ["Gateway gw: no conditions"]
