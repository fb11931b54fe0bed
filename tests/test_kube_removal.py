"""Removal: in order, waited for, and what is left is named. Against a real HTTP server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.removal import remove_namespace, why_left
from tools.waiting import timeouts

_NOW = datetime(2026, 11, 24, 8, 1, 30, tzinfo=UTC)


@pytest.fixture
def _impatient() -> Iterator[None]:
    before = timeouts.overridden()
    timeouts.override({"namespace-removed": 0.2})
    yield
    timeouts.override(before)


class _Cluster:
    """Objects by plural; a deletion removes them, but for those that stay."""

    def __init__(self, *stay: str, **objects: list[dict[str, Any]]) -> None:
        self.objects, self.stay = objects, stay

    def __call__(self, method: str, path: str, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        parts = path.split("/")
        if method == "DELETE":
            plural, name = parts[-2:]
            if plural not in self.stay:
                self.objects[plural] = [it for it in self.objects.get(plural, []) if it["metadata"]["name"] != name]
            return 200, {}
        if "watch" in query:
            return 200, []
        return 200, {"metadata": {"resourceVersion": "1"}, "items": self.objects.get(parts[-1], [])}


def _named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", "finalizers": ["f"], "resourceVersion": "1"}, **more}


def test_services_go_before_their_namespace(serve: Serve) -> None:
    cluster = _Cluster(llminferenceservices=[_named("svc")], gateways=[_named("gw")], namespaces=[_named("ns")])
    server, kube = serve(cluster)
    assert remove_namespace(kube, "ns") == []
    deleted = [path.rpartition("/")[2] for method, path, _, _ in server.asked if method == "DELETE"]
    assert deleted == ["svc", "gw", "ns"]


def test_namespace_that_never_was_is_gone(serve: Serve) -> None:
    _, kube = serve(_Cluster())
    assert remove_namespace(kube, "ns") == []


@pytest.mark.usefixtures("_impatient")
def test_what_stays_is_named_with_what_it_waits_for(serve: Serve) -> None:
    stays = _named("ns")
    stays["metadata"]["deletionTimestamp"] = "2026-11-24T08:01:02Z"
    _, kube = serve(_Cluster("namespaces", namespaces=[stays]))
    [line] = remove_namespace(kube, "ns")
    assert line.startswith("Namespace ns: terminating for ")
    assert line.endswith(" s; finalizers: f")


def test_cluster_without_kserve_has_no_services_to_wait_for(serve: Serve) -> None:
    cluster = _Cluster(namespaces=[_named("ns")])

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if "serving.kserve.io" in path or "gateway.networking" in path:
            return 404, {"message": "the server could not find the requested resource"}
        return cluster(method, path, query, body)

    _, kube = serve(answer)
    assert remove_namespace(kube, "ns") == []


def test_namespace_says_what_is_in_the_way() -> None:
    conditions = [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "none"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": "llminferenceservices has 1 instances"},
    ]
    found = {
        "metadata": {"deletionTimestamp": "2026-11-24T08:01:02Z"},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": conditions},
    }
    assert why_left(found, _NOW) == (
        "terminating for 28 s; finalizers: kubernetes; llminferenceservices has 1 instances"
    )


def test_deletion_that_did_not_begin() -> None:
    assert "has not begun" in why_left({"metadata": {}}, _NOW)


def test_binding_without_an_owner_is_a_leftover(serve: Serve) -> None:
    binding = _named("ns-svc-epp-auth-rb", subjects=[{"kind": "ServiceAccount", "name": "a", "namespace": "ns"}])
    other = _named("other", subjects=[{"kind": "Group", "name": "g"}])
    _, kube = serve(_Cluster(clusterrolebindings=[binding, other], namespaces=[_named("ns")]))
    assert remove_namespace(kube, "ns") == ["ClusterRoleBinding ns-svc-epp-auth-rb has a subject in ns"]
