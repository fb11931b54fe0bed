"""What the API server says of objects that it is only asked about, and the names by which it knows kinds."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.discovery import names
from tools.kube.errors import KubeError
from tools.kube.kinds import LLM_SERVICE
from tools.waiting.patience import limit, patience, unhurried

SERVICE = {
    "apiVersion": LLM_SERVICE.api,
    "kind": LLM_SERVICE.kind,
    "metadata": {"name": "llm", "namespace": "ns"},
}


def test_judging_is_a_strict_dry_run(serve: Serve) -> None:
    server, kube = serve(lambda *_: (201, {}))
    assert kube.judge(SERVICE) == []
    method, path, query, _ = server.asked[-1]
    assert (method, path) == ("POST", LLM_SERVICE.path(namespace="ns"))
    assert (query["dryRun"], query["fieldValidation"]) == ("All", "Strict")


def test_a_change_is_judged_in_the_same_way(serve: Serve) -> None:
    server, kube = serve(lambda *_: (200, {}))
    kube.judge_change(LLM_SERVICE, "llm", "ns", {"spec": {}})
    method, path, query, content = server.asked[-1]
    assert (method, path, content) == ("PATCH", LLM_SERVICE.path("llm", "ns"), "application/merge-patch+json")
    assert (query["dryRun"], query["fieldValidation"]) == ("All", "Strict")


def test_a_refusal_is_raised(serve: Serve) -> None:
    _, kube = serve(lambda *_: (422, {"message": "spec.replicas: Invalid value"}))
    with pytest.raises(KubeError, match="Invalid value"):
        kube.judge(SERVICE)


def test_names_of_kinds(serve: Serve) -> None:
    row = {
        "name": "llminferenceservices",
        "singularName": "llminferenceservice",
        "kind": "LLMInferenceService",
        "namespaced": True,
        "shortNames": ["llmisvc"],
        "verbs": ["get"],
    }
    pod = {"name": "pods", "singularName": "pod", "kind": "Pod", "namespaced": True, "shortNames": ["po"], "verbs": []}

    def answer(_: str, path: str, *__: Any) -> tuple[int, Any]:
        if path == "/apis":
            versions = [{"groupVersion": "serving.kserve.io/v1alpha2"}]
            return 200, {"groups": [{"versions": versions, "preferredVersion": versions[0]}]}
        return 200, {"resources": [pod if path == "/api/v1" else row]}

    _, kube = serve(answer)
    assert names(kube) >= {"llmisvc", "llminferenceservice.serving.kserve.io", "po", "pods", "all"}
    assert "llmis" not in names(kube)


def test_what_a_case_needs_is_waited_for_in_full() -> None:
    with patience(5):
        with unhurried():
            assert limit(60).seconds == 60
        assert limit(60).seconds == 5
