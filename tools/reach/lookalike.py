"""Pods that policies take for the service's own, where nobody can get inside of these: never ready, so never asked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tools.kube.client import Kube, Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import NAMESPACE, POD, SERVICE
from tools.kube.labels import PREFIX, of_run
from tools.kube.pods import line
from tools.netpolicy.selectors import matches
from tools.netpolicy.world import PodEnd
from tools.probe.pod import UNMESHED, probe_pod, user_of
from tools.probe.verdict import ProbeFailed
from tools.reach.cells import Who
from tools.reach.pod_source import PodSource
from tools.waiting.timeouts import seconds

# Nobody ever sets it, so the pod never becomes Ready: Services and InferencePools leave it out.
GATE = f"{PREFIX}/never-ready"
# A ReplicaSet, StatefulSet or LeaderWorkerSet takes over orphans that have all of its labels.
_OF_OWNERS = ("pod-template-hash", "controller-revision-hash", "leaderworkerset.sigs.k8s.io/name")


def labels_like(pod: Object) -> dict[str, str]:
    """Labels that policies select a pod by, without those that its owner finds it by. Pure."""
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    return {key: value for key, value in labels.items() if key not in _OF_OWNERS} | UNMESHED


def takers(labels: Mapping[str, str], services: Sequence[Object]) -> list[str]:
    """Services that would send requests to a pod with these labels although it is not ready. Pure."""
    return sorted(
        each["metadata"]["name"]
        for each in services
        if each["spec"].get("publishNotReadyAddresses")
        and (selector := each["spec"].get("selector"))
        and matches({"matchLabels": selector}, labels)
    )


@contextmanager
def lookalikes(kube: Kube, prober: Object, pods: Mapping[Who, Object]) -> Iterator[dict[Who, PodSource]]:
    """A look-alike of each of these pods while entered.

    Args:
        kube: the cluster.
        prober: a prober pod, whose image and run they have.
        pods: the service's own pods, each in a namespace of the run.

    Raises:
        ProbeFailed: one could be sent requests.
    """
    made: dict[Who, PodEnd] = {}
    try:
        for who, pod in pods.items():
            document = _document(kube, prober, who, pod)
            made[who] = PodEnd(document["metadata"]["namespace"], document["metadata"]["name"])
            kube.create(document)
        for who, end in made.items():
            chosen = Selection(POD, end.namespace, end.name)
            converge(kube, f"the {who}'s look-alike to run", chosen, _still, budget=seconds("prober-ready"))
        yield {who: PodSource(kube, end) for who, end in made.items()}
    finally:
        for end in made.values():
            kube.delete(POD, end.name, end.namespace)
        for end in made.values():
            chosen = Selection(POD, end.namespace, end.name)
            converge(kube, f"look-alike {end} to be gone", chosen, gone, budget=seconds("prober-ready"))


def _document(kube: Kube, prober: Object, who: Who, pod: Object) -> Object:
    namespace, labels = pod["metadata"]["namespace"], labels_like(pod)
    if found := takers(labels, kube.objects(SERVICE, namespace)):
        raise ProbeFailed(f"a look-alike of the {who} would be sent requests by {', '.join(found)}: not made")
    run = of_run(prober)
    container = prober["spec"]["containers"][0]
    return probe_pod(
        {"name": f"lookalike-{who}", "namespace": namespace, "labels": {**labels, **run}},
        container["image"],
        container["args"],
        user=user_of(kube.get(NAMESPACE, namespace)),
        memory=container["resources"]["limits"]["memory"],
        spec={
            "readinessGates": [{"conditionType": GATE}],
            "nodeSelector": {"kubernetes.io/hostname": pod["spec"]["nodeName"]},
        },
    )


def _still(found: list[Object]) -> str:
    statuses = [each for pod in found for each in pod.get("status", {}).get("containerStatuses", [])]
    if any("running" in each.get("state", {}) for each in statuses):
        return ""
    return "; ".join(line(each) for each in found) or "it is not there"
