"""Looking at the pods of a service for what is wrong with them, with what its user may read."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.conditions import conditions
from tools.kube.errors import KubeError
from tools.kube.kinds import EVENT, NODE, POD, REPLICA_SET
from tools.troubles.of_pod import troubles
from tools.troubles.trouble import Kind, Trouble

_REFUSED = 403
# What is told by all events of a failed creation alike.
_QUOTA = ("exceeded quota", "must specify")
# Kinds that pass by themselves as a rule.
HARMLESS = (Kind.STARTING, Kind.UNREADY)


@dataclass(frozen=True)
class Found:
    """A trouble and the pod (or ReplicaSet) that has it.

    Attributes:
        where: in words.
        uid: of the object.
        trouble: what is wrong.
    """

    where: str
    uid: str
    trouble: Trouble


def at(kube: Kube, namespace: str, looked_at: Sequence[Object]) -> list[Found]:
    """What is wrong with pods of a namespace, the worst first; nodes are looked at only for a pod that has none."""
    events = _readable(lambda: kube.objects(EVENT, namespace))
    homeless = any(not pod["spec"].get("nodeName") for pod in looked_at)
    nodes = _readable(lambda: kube.objects(NODE)) if homeless else []
    placed = _readable(lambda: kube.objects(POD)) if nodes else []
    found = [
        Found(pod["metadata"]["name"], pod["metadata"]["uid"], each)
        for pod in looked_at
        for each in troubles(pod, events, nodes, placed)
    ]
    return sorted(found, key=lambda each: HARMLESS.index(each.trouble.kind) + 1 if each.trouble.kind in HARMLESS else 0)


def creation(kube: Kube, deployment: Object) -> list[Found]:
    """Why pods of a Deployment are not even made: what its ReplicaSets, and itself, say of it."""
    meta = deployment["metadata"]
    owned = [
        each
        for each in _readable(lambda: kube.objects(REPLICA_SET, meta["namespace"]))
        if any(owner["uid"] == meta["uid"] for owner in each["metadata"].get("ownerReferences", []))
    ]
    return [
        Found(f"{each['kind']} {each['metadata']['name']}", each["metadata"]["uid"], trouble)
        for each in [*owned, deployment]
        if (trouble := uncreated(each)) is not None
    ]


def uncreated(found: Object) -> Trouble | None:
    """Why a ReplicaSet or Deployment has pods that could not be made; None if it has none such. Pure."""
    failure = conditions(found).get("ReplicaFailure")
    if failure is None or failure.status != "True":
        return None
    name, told = str(found["metadata"]["name"]), failure.message
    command: tuple[str, ...]
    if any(word in told for word in _QUOTA):
        cause, command = "a ResourceQuota of the namespace is used up", ("describe", "resourcequota")
    elif "LimitRange" in told or "maximum" in told or "minimum" in told:
        cause, command = (
            "a LimitRange of the namespace does not take the server's resources",
            ("describe", "limitrange"),
        )
    elif "violates PodSecurity" in told or "security context constraint" in told:
        cause = "the namespace's pod security does not take the server's security context"
        command = ("describe", "replicaset", name)
    else:
        cause = (
            "an admission webhook or policy refuses the pods (on GKE: chips that do not go with the TPU topology),"
            " or their ServiceAccount is missing"
        )
        command = ("describe", "replicaset", name)
    what = f"{found['kind']} {name} cannot make its pods: {failure.reason}: {told}"
    return Trouble(Kind.CREATION, what, cause, command)


def worst(found: Iterable[Found]) -> Found | None:
    """The trouble to tell first: one that waiting does not mend, else the first that is one."""
    kept = list(found)
    real = [each for each in kept if each.trouble.kind not in HARMLESS]
    return next((each for each in real if each.trouble.lasting), next(iter([*real, *kept]), None))


def line(pod: Object, found: Iterable[Found]) -> str:
    """A pod in a line, with the causes of its troubles."""
    causes = [each.trouble.cause for each in found if each.uid == pod["metadata"]["uid"]]
    return pods.line(pod) + (f" ({'; '.join(dict.fromkeys(causes))})" if causes else "")


def _readable(read: Callable[[], list[Object]]) -> list[Object]:
    """Objects that help to explain; none where the user may not read them."""
    try:
        return read()
    except KubeError as error:
        if error.status != _REFUSED:
            raise
        return []
