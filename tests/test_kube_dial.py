"""What a pod of agnhost says that it heard, and where a scraper is led."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.dial import Heard, dial, heard
from tools.mesh.scraping import merged, place
from tools.probe.verdict import ProbeFailed, Verdict

Object = dict[str, Any]
POD: Object = {"metadata": {"name": "prober", "namespace": "ns"}}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('{"responses": ["RBAC: access denied"]}', Heard(Verdict.HTTP, "RBAC: access denied")),
        ("{}", Heard(Verdict.HTTP, "")),
        ('{"errors": ["Get x: EOF"]}', Heard(Verdict.RESET, "Get x: EOF")),
        ('{"errors": ["dial tcp: i/o timeout"]}', Heard(Verdict.DROPPED, "dial tcp: i/o timeout")),
        ('{"errors": ["what is this"]}', Heard(Verdict.PROBE_FAILED, "what is this")),
    ],
)
def test_what_was_heard_has_a_verdict(body: str, found: Heard) -> None:
    assert heard(body) == found


@pytest.mark.parametrize("body", ["<html>", "[]", '"x"', '{"errors": 1}'])
def test_anything_else_is_no_answer(body: str) -> None:
    with pytest.raises(ProbeFailed):
        heard(body)


def test_a_pod_is_told_by_the_api_servers_way(serve: Serve) -> None:
    server, kube = serve(lambda *_: (200, {"responses": ["hello"]}))
    assert dial(kube, POD, 8080, "10.0.0.1", 8000, "/v1/models").said == "hello"
    [(method, path, query, _)] = server.asked
    assert (method, path) == ("GET", "/api/v1/namespaces/ns/pods/prober:8080/proxy/dial")
    assert query == {"host": "10.0.0.1", "port": "8000", "request": "v1/models", "protocol": "http"}


def test_a_pod_that_does_not_answer_tells_nothing(serve: Serve) -> None:
    _, kube = serve(lambda *_: (404, {"message": "no such page"}))
    with pytest.raises(ProbeFailed, match="does not ask"):
        dial(kube, POD, 8080, "10.0.0.1", 8000, "/")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, "port 8000 /metrics (by the server's port"),
        ({"prometheus.io/scrape": "false", "prometheus.io/port": "1"}, "port 8000 /metrics (by the server's port"),
        ({"prometheus.io/scrape": "true"}, "port 8000 /metrics (by the pod's annotations"),
        (
            {"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"},
            "port 15020 /stats/prometheus (by the pod's annotations",
        ),
    ],
)
def test_annotations_lead_a_scraper(annotations: dict[str, str], expected: str) -> None:
    assert str(place({"metadata": {"annotations": annotations}})).startswith(expected)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"scrape": "true", "port": "8001", "path": "/metrics"}', "port 8001 /metrics"),
        ("", "nothing"),
        ("[]", "nothing"),
    ],
)
def test_what_the_agent_was_told(value: str, said: str) -> None:
    proxy = {"name": "istio-proxy", "env": [{"name": "ISTIO_PROMETHEUS_ANNOTATIONS", "value": value}]}
    assert merged({"spec": {"containers": [{"name": "main"}], "initContainers": [proxy]}}) == said
