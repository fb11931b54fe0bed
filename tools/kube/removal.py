"""Removes what a run made, waits until it is gone, and says what is left."""

from collections.abc import Sequence

from tools.kube.client import Kube
from tools.kube.convergence import Alive, NotConverged, Selection, converge, gone
from tools.kube.kinds import CLUSTER_ROLE_BINDING, GATEWAY, LLM_SERVICE, NAMESPACE, POD, Kind

# KServe's finalizer takes a second or two.
SERVICE_SECONDS = 60.0
# A server's pod sleeps 15 s before it is asked to end, and may then take the rest of its 60 s of grace.
PODS_SECONDS = 90.0
NAMESPACE_SECONDS = 60.0


def remove_namespace(kube: Kube, namespace: str, *, alive: Alive = lambda: None) -> list[str]:
    """Remove a run's namespace with the services in it.

    In this order: services, because their finalizer needs what the namespace's deletion would take from under it; their
    pods, because a namespace's deletion that meets pods looks again only after half of their grace period; the rest.

    Returns:
        What is left, one line each; empty when everything is gone.
    """
    services = [service["metadata"]["name"] for service in kube.objects(LLM_SERVICE, namespace)]
    for name in services:
        kube.delete(LLM_SERVICE, name, namespace)
    for gateway in kube.objects(GATEWAY, namespace):
        kube.delete(GATEWAY, gateway["metadata"]["name"], namespace)
    left = []
    if services:
        left += _wait(kube, Selection(LLM_SERVICE, namespace), SERVICE_SECONDS, alive)
        left += _wait(kube, Selection(POD, namespace), PODS_SECONDS, alive)
    kube.delete(NAMESPACE, namespace)
    left += _wait(kube, Selection(NAMESPACE, name=namespace), NAMESPACE_SECONDS, alive)
    return left + [f"ClusterRoleBinding {name} has a subject in {namespace}" for name in bindings_into(kube, namespace)]


def remove(kube: Kube, objects: Sequence[tuple[Kind, str]]) -> None:
    """Ask for the deletion of cluster-scoped objects; those that are gone do not matter."""
    for kind, name in objects:
        kube.delete(kind, name)


def bindings_into(kube: Kube, namespace: str) -> list[str]:
    """ClusterRoleBindings with a subject in a namespace: KServe makes one per picker, without an owner."""
    return [
        binding["metadata"]["name"]
        for binding in kube.objects(CLUSTER_ROLE_BINDING)
        if any(subject.get("namespace") == namespace for subject in binding.get("subjects", []))
    ]


def _wait(kube: Kube, selection: Selection, budget: float, alive: Alive) -> list[str]:
    try:
        converge(kube, f"{selection} to be gone", selection, gone, budget=budget, alive=alive)
    except NotConverged as error:
        return [f"{selection}: {error.lacking} after {error.seconds:.0f} s"]
    return []
