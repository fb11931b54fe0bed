"""Removes what a run made, waits until it is gone, and says what is left."""

from collections.abc import Sequence

from tools.kube.client import Kube
from tools.kube.convergence import Alive, NotConverged, Selection, converge, gone
from tools.kube.kinds import CLUSTER_ROLE_BINDING, LLM_SERVICE, NAMESPACE, Kind

# KServe's finalizer and the garbage collector each take a few seconds; pods get their whole grace period.
SERVICE_SECONDS = 60.0
NAMESPACE_SECONDS = 120.0


def remove_namespace(kube: Kube, namespace: str, *, alive: Alive = lambda: None) -> list[str]:
    """Remove a run's namespace with the services in it.

    The services go first: their finalizer needs what the namespace's deletion would take from under it.

    Returns:
        What is left, one line each; empty when everything is gone.
    """
    left = []
    for service in kube.objects(LLM_SERVICE, namespace):
        name = service["metadata"]["name"]
        kube.delete(LLM_SERVICE, name, namespace)
        left += _wait(kube, Selection(LLM_SERVICE, namespace, name), SERVICE_SECONDS, alive)
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
