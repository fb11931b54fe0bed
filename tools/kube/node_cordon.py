"""A node that takes no new pods for a while, in a way that whoever comes after a killed run can put right."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.kube.client import Kube, Object
from tools.kube.kinds import NODE, POD
from tools.kube.labels import PREFIX

# Who has cordoned it: an operator's own cordon is not ours to lift.
MARK = f"{PREFIX}/cordoned"


@contextmanager
def cordoned(kube: Kube, node: str) -> Iterator[None]:
    """The node unschedulable, as `kubectl cordon` makes it; that it was ours is written down on the node itself.

    Raises:
        RuntimeError: it is unschedulable already, by somebody else.
    """
    if kube.get(NODE, node)["spec"].get("unschedulable"):
        raise RuntimeError(f"node {node} is cordoned already, by somebody else")
    try:
        kube.patch(NODE, node, "", {"metadata": {"annotations": {MARK: "true"}}, "spec": {"unschedulable": True}})
        yield
    finally:
        _lift(kube, node)


def evict(kube: Kube, pod: Object) -> None:
    """Ask for a pod's eviction, as `kubectl drain` does: with its own grace, and against no disruption budget.

    Raises:
        KubeError: 429 where a PodDisruptionBudget forbids it.
    """
    meta = pod["metadata"]
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
    }
    kube.request("POST", POD.path(meta["name"], meta["namespace"], "eviction"), None, body)


def restore(kube: Kube) -> list[str]:
    """Lift what killed runs left; one line for each node."""
    lines = []
    for node in kube.objects(NODE):
        name = node["metadata"]["name"]
        if (node["metadata"].get("annotations") or {}).get(MARK):
            _lift(kube, name)
            lines.append(f"node {name} takes pods again")
    return lines


def _lift(kube: Kube, node: str) -> None:
    kube.patch(NODE, node, "", {"metadata": {"annotations": {MARK: None}}, "spec": {"unschedulable": None}})
