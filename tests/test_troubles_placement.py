"""Why no node takes a pod."""

from typing import Any

import pytest

from tools.kube.quantity import amount
from tools.troubles.placement import Hindered, Hindrance, asks, explain, free, misspelt, parse, tolerates

Object = dict[str, Any]
GPU = "nvidia.com/gpu"


def _node(name: str, labels: dict[str, str], has: int = 4, taint: str = "", resource: str = GPU) -> Object:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [{"key": taint, "value": "present", "effect": "NoSchedule"}]} if taint else {},
        "status": {"allocatable": {resource: str(has)}, "capacity": {resource: str(has)}},
    }


def _pod(count: int, node: str = "", selector: dict[str, str] | None = None, phase: str = "Running") -> Object:
    container = {"name": "main", "resources": {"requests": {GPU: str(count)}, "limits": {GPU: str(count)}}}
    spec: Object = {"containers": [container], "nodeSelector": selector or {}}
    return {
        "metadata": {"name": "a"},
        "spec": spec | ({"nodeName": node} if node else {}),
        "status": {"phase": phase},
    }


NODES = [
    _node("gpu", {"acc": "nvidia-tesla-t4"}, taint=GPU),
    _node("tpu", {"acc": "tpu-v6e-slice"}, has=0, taint="google.com/tpu"),
]


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (
            "0/2 nodes are available: 1 Insufficient google.com/tpu, 1 node(s) had untolerated taint {nvidia.com/gpu:"
            " present}. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
            [
                Hindered(Hindrance.INSUFFICIENT, 1, "google.com/tpu"),
                Hindered(Hindrance.TAINT, 1, "{nvidia.com/gpu: present}"),
            ],
        ),
        (
            "0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector.",
            [Hindered(Hindrance.SELECTOR, 5, "didn't match Pod's node affinity/selector")],
        ),
        (
            "0/3 nodes are available: 2 Insufficient cpu, 3 Insufficient memory. no new claims to deallocate",
            [Hindered(Hindrance.INSUFFICIENT, 2, "cpu"), Hindered(Hindrance.INSUFFICIENT, 3, "memory")],
        ),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: none",
            [Hindered(Hindrance.VOLUME, 0, "pod has unbound immediate PersistentVolumeClaims")],
        ),
        (
            "0/1 nodes are available: 1 node(s) were unschedulable.",
            [Hindered(Hindrance.CORDON, 1, "were unschedulable")],
        ),
        ("something new", []),
    ],
)
def test_messages_of_the_scheduler(message: str, parts: list[Hindered]) -> None:
    assert parse(message) == parts


def test_a_shortage_is_told_in_numbers() -> None:
    message = "0/2 nodes are available: 1 Insufficient nvidia.com/gpu, 1 node(s) had untolerated taint {a: b}."
    waits = _pod(4, selector={"acc": "nvidia-tesla-t4"})
    waits["spec"]["tolerations"] = [{"key": GPU, "operator": "Exists"}]
    cause = explain(waits, message, (), NODES, [_pod(3, "gpu"), _pod(1, "gpu", phase="Succeeded"), _pod(2, "tpu")])
    assert cause == "not enough nvidia.com/gpu: need 4, free 1 of 4 on node gpu"


def test_without_the_right_to_see_nodes_the_message_is_enough() -> None:
    assert explain(_pod(4), "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", (), (), ()) == (
        "not enough nvidia.com/gpu: need 4"
    )
    assert "finds no node: nobody knows" in explain(_pod(1), "nobody knows", (), (), ())


def test_a_misspelt_selector_gets_the_nearest() -> None:
    waits = _pod(1, selector={"acc": "tpu-v6e"})
    cause = explain(
        waits, "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", (), NODES, ()
    )
    assert cause == "no node has acc=tpu-v6e, only nvidia-tesla-t4, tpu-v6e-slice; did you mean tpu-v6e-slice?"
    assert misspelt(NODES, {"ac": "x"}) == ["no node has the label ac; did you mean acc?"]
    assert misspelt(NODES, {"acc": "tpu-v6e-slice"}) == []


def test_an_untolerated_taint_is_named() -> None:
    waits = _pod(1, selector={"acc": "nvidia-tesla-t4"})
    message = "0/2 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}."
    assert "taint nvidia.com/gpu=present:NoSchedule, which the pod does not tolerate" in explain(
        waits, message, (), NODES, ()
    )


def test_what_the_autoscaler_says_is_told() -> None:
    event = {"reason": "NotTriggerScaleUp", "message": "1 max node group size reached"}
    cause = explain(_pod(9), "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.", [event, event], (), ())
    assert cause.endswith("need 9; the autoscaler says NotTriggerScaleUp: 1 max node group size reached")


def test_what_a_pod_asks_for() -> None:
    pod = _pod(2)
    pod["spec"]["initContainers"] = [
        {"name": "sidecar", "restartPolicy": "Always", "resources": {"requests": {GPU: "1"}}},
        {"name": "greedy", "resources": {"requests": {GPU: "7"}}},
    ]
    assert asks(pod, GPU) == 7
    assert free(NODES[0], [_pod(1, "gpu"), _pod(1, "elsewhere")], GPU) == 3


@pytest.mark.parametrize(
    ("toleration", "does"),
    [
        ({"key": GPU, "operator": "Exists"}, True),
        ({"operator": "Exists"}, True),
        ({"key": GPU, "operator": "Equal", "value": "present", "effect": "NoSchedule"}, True),
        ({"key": GPU, "value": "other"}, False),
        ({"key": GPU, "operator": "Exists", "effect": "NoExecute"}, False),
    ],
)
def test_tolerations(toleration: Object, does: bool) -> None:
    assert tolerates(toleration, {"key": GPU, "value": "present", "effect": "NoSchedule"}) is does


@pytest.mark.parametrize(
    ("text", "number"), [("4", 4), ("100m", 0.1), ("16Gi", 16 * 2**30), ("1k", 1000), (2, 2), ("1e3", 1000)]
)
def test_quantities(text: str, number: float) -> None:
    assert amount(text) == number


def test_no_quantity() -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        amount("much")
