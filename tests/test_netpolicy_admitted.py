"""What faults put beside a service gets a way through policies where there are any, and only then."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.faults.admitted import from_gateway
from tools.kube.llm_service import LlmService, Place
from tools.netpolicy.facts import Pods

DENY = {"metadata": {"name": "default-deny-all", "namespace": "llm"}}


@pytest.mark.parametrize(
    ("isolated", "gateway", "made"),
    [
        (["llm"], "llm", ["llm/it-in", "llm/it-out"]),
        (["llm"], "kserve", ["llm/it-in"]),
        ([], "llm", []),
    ],
)
def test_a_way_is_made_where_policies_are_and_removed_again(
    serve: Serve, isolated: list[str], gateway: str, made: list[str]
) -> None:
    wanted: dict[str, Any] = {}
    removed: list[str] = []

    def answer(method: str, path: str, _query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/api/v1/namespaces/llm":
            return 200, {"metadata": {"name": "llm", "labels": {"llmisvc-conformance/run": "1"}}}
        parts = path.partition("/namespaces/")[2].split("/")
        if method == "GET":
            return 200, {"metadata": {"resourceVersion": "1"}, "items": [DENY] if parts[0] in isolated else []}
        name = f"{parts[0]}/{parts[2]}"
        if method == "DELETE":
            removed.append(name)
        else:
            wanted[name] = body
        return 200, body or {}

    _, kube = serve(answer)
    service = LlmService(kube, "llm", "vllm", Place(gateway, "gw"))
    with from_gateway(service, Pods("llm", {"app": "x"}), 8000, "it"):
        assert sorted(wanted) == made
        assert removed == []
    assert sorted(removed) == made
    for each in wanted.values():
        assert each["metadata"]["labels"]["llmisvc-conformance/run"] == "1", "cleanup finds it by this"
    if made:
        rule = wanted["llm/it-in"]["spec"]["ingress"][0]
        assert rule["from"][0]["podSelector"]["matchLabels"] == {"gateway.networking.k8s.io/gateway-name": "gw"}
        assert rule["ports"] == [{"protocol": "TCP", "port": 8000}]
