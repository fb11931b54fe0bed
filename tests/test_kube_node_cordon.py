"""A cordon that is ours is lifted, by whoever comes after a killed run too; one of somebody else never."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube import node_cordon, node_labels
from tools.kube.client import Kube


def _nodes(serve: Serve, *nodes: dict[str, Any]) -> tuple[Kube, dict[str, dict[str, Any]]]:
    """A cluster of these nodes, which takes merge patches of annotations and of the spec."""
    there = {node["metadata"]["name"]: node for node in nodes}

    def answer(method: str, path: str, _: dict[str, str], body: Any) -> tuple[int, Any]:
        name = path.rpartition("/nodes")[2].strip("/")
        if not name:
            return 200, {"kind": "NodeList", "metadata": {"resourceVersion": "1"}, "items": list(there.values())}
        node = there[name]
        if method == "PATCH":
            _merge(node["metadata"].setdefault("annotations", {}), body["metadata"]["annotations"])
            _merge(node["spec"], body["spec"])
        return 200, node

    return serve(answer)[1], there


def _merge(into: dict[str, Any], change: dict[str, Any]) -> None:
    into |= change
    for key in [key for key, value in into.items() if value is None]:
        del into[key]


def _node(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": "1"}, "spec": spec}


def test_a_node_is_cordoned_while_entered(serve: Serve) -> None:
    kube, there = _nodes(serve, _node("a"))
    with node_cordon.cordoned(kube, "a"):
        assert there["a"]["spec"] == {"unschedulable": True}
        assert there["a"]["metadata"]["annotations"] == {node_cordon.MARK: "true"}
    assert there["a"]["spec"] == {}
    assert there["a"]["metadata"]["annotations"] == {}


def test_what_a_killed_run_left_is_lifted_and_nothing_else(serve: Serve) -> None:
    ours = _node("ours", unschedulable=True)
    ours["metadata"]["annotations"] = {node_cordon.MARK: "true"}
    kube, there = _nodes(serve, ours, _node("theirs", unschedulable=True))
    assert node_labels.restore(kube) == ["node ours takes pods again"]
    assert there["ours"]["spec"] == {}
    assert there["theirs"]["spec"] == {"unschedulable": True}


def test_a_cordon_of_somebody_else_is_not_touched(serve: Serve) -> None:
    kube, there = _nodes(serve, _node("a", unschedulable=True))
    with pytest.raises(RuntimeError, match="by somebody else"), node_cordon.cordoned(kube, "a"):
        pass
    assert there["a"]["spec"] == {"unschedulable": True}


def test_an_eviction_is_asked_for_at_the_pod(serve: Serve) -> None:
    bodies: list[Any] = []

    def answer(method: str, path: str, _: dict[str, str], body: Any) -> tuple[int, Any]:
        bodies.append((method, path, body["kind"]))
        return 201, {"kind": "Status", "status": "Success"}

    _, kube = serve(answer)
    node_cordon.evict(kube, {"metadata": {"name": "p", "namespace": "n"}})
    assert bodies == [("POST", "/api/v1/namespaces/n/pods/p/eviction", "Eviction")]
