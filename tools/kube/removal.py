"""Removes what a run made, waits until it is gone, and says what is left and why."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tools.kube.client import Kube, Object
from tools.kube.convergence import Alive, NotConverged, Selection, converge, gone
from tools.kube.errors import NotFound
from tools.kube.kinds import CLUSTER_ROLE_BINDING, GATEWAY, LLM_SERVICE, NAMESPACE, POD, Kind
from tools.kube.labels import of_run
from tools.waiting.timeouts import seconds

# Conditions of a namespace that cannot go; the others only repeat them.
_IN_THE_WAY = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)


def remove_namespace(kube: Kube, namespace: str, *, alive: Alive = lambda: None) -> list[str]:
    """Remove a run's namespace with the services in it.

    In this order: services, because their finalizer needs what the namespace's deletion would take from under it; their
    pods, because a namespace's deletion that meets pods looks again only after half of their grace period; the rest.

    Returns:
        What is left, one line each; empty when everything is gone.
    """
    services = _there(kube, LLM_SERVICE, namespace)
    for service in services:
        kube.delete(LLM_SERVICE, service["metadata"]["name"], namespace)
    for gateway in _there(kube, GATEWAY, namespace):
        kube.delete(GATEWAY, gateway["metadata"]["name"], namespace)
    # What nobody owns ends with nothing but itself, and the rest is waited for.
    for pod in _there(kube, POD, namespace):
        if not pod["metadata"].get("ownerReferences"):
            kube.delete(POD, pod["metadata"]["name"], namespace)
    left = []
    if services:
        left += wait_gone(kube, Selection(LLM_SERVICE, namespace), seconds("service-removed"), alive)
        left += wait_gone(kube, Selection(POD, namespace), seconds("pods-removed"), alive)
    kube.delete(NAMESPACE, namespace)
    left += wait_gone(kube, Selection(NAMESPACE, name=namespace), seconds("namespace-removed"), alive)
    return left + [f"ClusterRoleBinding {name} has a subject in {namespace}" for name in bindings_into(kube, namespace)]


def remove(kube: Kube, objects: Sequence[tuple[Kind, str]]) -> None:
    """Ask for the deletion of cluster-scoped objects; those that are gone do not matter."""
    for kind, name in objects:
        kube.delete(kind, name)


def bindings_into(kube: Kube, namespace: str) -> list[str]:
    """ClusterRoleBindings with a subject in a namespace: KServe makes one per picker, without an owner.

    Those that carry a run's label are the run's own, and are removed with it.
    """
    return [
        binding["metadata"]["name"]
        for binding in kube.objects(CLUSTER_ROLE_BINDING)
        if any(subject.get("namespace") == namespace for subject in binding.get("subjects") or [])
        and not of_run(binding)
    ]


def wait_gone(kube: Kube, selection: Selection, budget: float, alive: Alive = lambda: None) -> list[str]:
    """Wait until nothing of a selection is left; what is left then, and why, one line each."""
    try:
        converge(kube, f"{selection} to be gone", selection, gone, budget=budget, alive=alive)
    except NotConverged as error:
        now = datetime.now(UTC)
        names = [f"{selection.kind.kind} {found['metadata']['name']}" for found in error.last]
        where = f" in {selection.namespace}" if selection.namespace else ""
        return [f"{name}{where}: {why_left(found, now)}" for name, found in zip(names, error.last, strict=True)]
    return []


def why_left(found: Object, now: datetime) -> str:
    """Why an object that was to go is still there: since when it is going, and what it waits for. Pure."""
    meta = found["metadata"]
    since = meta.get("deletionTimestamp")
    if not since:
        return "its deletion has not begun: something makes it anew, or an admission webhook refuses"
    parts = [f"terminating for {(now - datetime.fromisoformat(since)).total_seconds():.0f} s"]
    held = meta.get("finalizers") or (found.get("spec") or {}).get("finalizers") or []
    parts += [f"finalizers: {', '.join(held)}"] if held else []
    conditions = {each["type"]: each for each in (found.get("status") or {}).get("conditions") or []}
    for each in _IN_THE_WAY:
        if conditions.get(each, {}).get("status") == "True":
            parts.append(str(conditions[each].get("message") or each))
    return "; ".join(parts)


def _there(kube: Kube, kind: Kind, namespace: str) -> list[Object]:
    """Objects of a kind, none where the cluster has no such kind (any more)."""
    try:
        return kube.objects(kind, namespace)
    except NotFound:
        return []
