"""Nothing is said of servers that are not there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kube_server import CONTEXT, KubeServer
from tools.explain import Violation
from tools.kube.client import Kube
from tools.kube.llm_service import LlmService, Place

Serve = Callable[[list[dict[str, Any]]], LlmService]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A service whose server pods are those given."""
    servers: list[KubeServer] = []

    def start(pods: list[dict[str, Any]]) -> LlmService:
        def answer(_: str, path: str, *__: object) -> tuple[int, dict[str, Any]]:
            if "/deployments/" in path:
                meta = {"name": path.rpartition("/")[2], "namespace": "ns", "uid": "d"}
                return 200, {"kind": "Deployment", "metadata": meta}
            return 200, {"items": pods if path.endswith("/pods") else [], "metadata": {"resourceVersion": "1"}}

        servers.append(KubeServer(answer))
        return LlmService(Kube(servers[-1].kubeconfig(tmp_path), CONTEXT), "ns", "vllm", Place("ns", "gateway"))

    yield start
    for server in servers:
        server.close()


def pod(name: str, node: str, **status: object) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "spec": {"containers": [], "nodeName": node}, "status": status}


def test_servers_on_nodes_are_given(serve: Serve) -> None:
    assert [each["metadata"]["name"] for each in serve([pod("a", "node")]).servers()] == ["a"]


def test_no_server_is_a_violation(serve: Serve) -> None:
    with pytest.raises(Violation, match="there is no server pod"):
        serve([]).servers()


def test_server_without_a_node_is_told_with_the_schedulers_words(serve: Serve) -> None:
    words = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
    waiting = pod("b", "", phase="Pending", conditions=[condition])
    with pytest.raises(Violation, match=r"observed: .* not scheduled: 0/2 nodes are available"):
        serve([pod("a", "node"), waiting]).servers()
