"""The Kubernetes client against a real HTTP server."""

from typing import Any

import pytest

from tests.kube_server import Answer, Serve
from tools.kube.errors import Gone, KubeError, NotFound
from tools.kube.kinds import NODE, POD, POOL, SERVICE


def _always(status: int, body: Any) -> Answer:
    return lambda *_: (status, body)


def test_named_context_is_used_and_not_the_current_one(serve: Serve) -> None:
    _, kube = serve(_always(200, {"gitVersion": "v1.2.3"}))
    assert kube.version() == "v1.2.3"


def test_objects_of_a_list_get_their_type(serve: Serve) -> None:
    server, kube = serve(_always(200, {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "a"}}]}))
    found = kube.objects(POD, "ns", labels="a=b", fields="metadata.name=a")
    assert found == [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}]
    assert server.asked[0][1:3] == (
        "/api/v1/namespaces/ns/pods",
        {"labelSelector": "a=b", "fieldSelector": "metadata.name=a"},
    )


def test_refusals_keep_the_servers_words(serve: Serve) -> None:
    _, kube = serve(_always(403, {"message": "pods is forbidden"}))
    with pytest.raises(KubeError, match="403: pods is forbidden"):
        kube.get(POD, "a", "ns")


def test_absent_object(serve: Serve) -> None:
    _, kube = serve(_always(404, {"message": "no such pod"}))
    assert kube.find(POD, "a", "ns") is None
    assert kube.delete(POD, "a", "ns") is False
    with pytest.raises(NotFound):
        kube.get(POD, "a", "ns")


def test_failed_request_is_not_repeated(serve: Serve) -> None:
    server, kube = serve(_always(503, {"message": "overloaded"}))
    with pytest.raises(KubeError):
        kube.get(NODE, "a")
    assert len(server.asked) == 1


def test_apply_is_server_side_and_says_who_applies(serve: Serve) -> None:
    server, kube = serve(lambda *asked: (200, asked[3]))
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "ns"}}
    assert kube.apply(document) == document
    assert server.asked == [
        (
            "PATCH",
            "/api/v1/namespaces/ns/services/a",
            {"fieldManager": "llmisvc-conformance", "force": "true"},
            "application/apply-patch+yaml",
        )
    ]


def test_unknown_kind_is_looked_up(serve: Serve) -> None:
    resources = [
        {"name": "things/status", "kind": "Thing", "namespaced": True},
        {"name": "things", "kind": "Thing", "namespaced": True},
    ]
    _, kube = serve(_always(200, {"resources": resources}))
    kind = kube.kind_of({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})
    assert kind.path("a", "ns") == "/apis/example.com/v1/namespaces/ns/things/a"


def test_kind_that_the_cluster_lacks(serve: Serve) -> None:
    _, kube = serve(_always(200, {"resources": []}))
    with pytest.raises(KubeError, match=r"no kind Thing in example\.com/v1"):
        kube.kind_of({"apiVersion": "example.com/v1", "kind": "Thing"})


def test_watch_ends_when_closed_from_outside(serve: Serve) -> None:
    _, kube = serve(_always(200, [{"type": "ADDED", "object": {"metadata": {"name": "a"}}}]))
    watch = kube.watch(POD, "ns", "1", seconds=30)
    events = iter(watch)
    assert next(events) == ("ADDED", {"metadata": {"name": "a"}})
    watch.close()
    assert list(events) == []


def test_watch_from_a_forgotten_version(serve: Serve) -> None:
    event = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
    _, kube = serve(_always(200, [event]))
    with pytest.raises(Gone, match="too old"):
        next(iter(kube.watch(POD, "ns", "1", seconds=30)))


def test_command_line_names_kubeconfig_and_context(serve: Serve) -> None:
    _, kube = serve(_always(200, {}))
    assert kube.kubectl("get", "pods", "-l", "a in (b)").endswith("--context test get pods -l 'a in (b)'")


def test_kubectl_names_pools_with_their_group() -> None:
    assert POOL.resource == "inferencepools.inference.networking.k8s.io"
    assert SERVICE.resource == "services"
