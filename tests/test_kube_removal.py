"""Removal: in order, waited for, and what is left is named. Against a real HTTP server."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube import removal
from tools.kube.removal import remove_namespace


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


def test_what_stays_is_named_with_its_finalizer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "NAMESPACE_SECONDS", 0.2)
    _, kube = serve(_Cluster("namespaces", namespaces=[_named("ns")]))
    assert remove_namespace(kube, "ns") == ["Namespace ns: still there: ns (finalizers: f) after 0 s"]


def test_binding_without_an_owner_is_a_leftover(serve: Serve) -> None:
    binding = _named("ns-svc-epp-auth-rb", subjects=[{"kind": "ServiceAccount", "name": "a", "namespace": "ns"}])
    other = _named("other", subjects=[{"kind": "Group", "name": "g"}])
    _, kube = serve(_Cluster(clusterrolebindings=[binding, other], namespaces=[_named("ns")]))
    assert remove_namespace(kube, "ns") == ["ClusterRoleBinding ns-svc-epp-auth-rb has a subject in ns"]
