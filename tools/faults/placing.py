"""Faults of placement: pods that no node takes, that are not even made, and nodes that take too much."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tools.faults.common import wait_until
from tools.faults.fault import Scope, fault
from tools.faults.hold import controller_held
from tools.faults.refusal import Refusal, refused
from tools.faults.revision import Change, beside, on_paper, unscheduled
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.conditions import conditions
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import DEPLOYMENT, EVENT, NAMESPACE, POD, RESOURCE_QUOTA
from tools.kube.labels import made_for
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.kube.node_taints import without
from tools.waiting.timeouts import seconds

_MANY = 64


@fault()
def accelerators_exceeded(service: LlmService) -> Iterator[None]:
    """A second server pod asks for more accelerators than any node has."""
    with beside(service, asking(service, _MANY), unscheduled):
        yield


@fault()
def autoscaler_at_its_limit(service: LlmService) -> Iterator[None]:
    """A second server pod asks for too much, and an autoscaler says of it that it adds no node."""
    with beside(service, asking(service, _MANY), unscheduled) as pod:
        told = "pod didn't trigger scale-up: 1 max node group size reached"
        _say(service, pod, "NotTriggerScaleUp", told)
        yield


@fault()
def selector_misspelt(service: LlmService) -> Iterator[None]:
    """A second server pod selects nodes by a value that none has: the real one without its end."""

    def change(spec: Object, _: Object) -> None:
        selector = spec["nodeSelector"]
        key = next(each for each in selector if "accelerator" in each)
        selector[key] = selector[key].rpartition("-")[0]

    with beside(service, change, unscheduled):
        yield


@fault()
def toleration_missing(service: LlmService) -> Iterator[None]:
    """A second server pod does not tolerate the taint of its nodes."""

    def change(spec: Object, _: Object) -> None:
        spec["tolerations"] = []

    with beside(service, change, unscheduled):
        yield


@fault()
def quota_used_up(service: LlmService) -> Iterator[None]:
    """A ResourceQuota leaves no accelerators to the namespace, and the servers are to be made anew."""
    kube, namespace, name = service.kube, service.namespace, "llmisvc-conformance-none"
    (resource,) = accelerators_of(service)
    labels = made_for(kube.get(NAMESPACE, namespace), "quota_used_up")
    quota: Object = {
        "apiVersion": RESOURCE_QUOTA.api,
        "kind": RESOURCE_QUOTA.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"hard": {f"requests.{resource}": "0"}},
    }
    try:
        kube.apply(quota)
        what = "the quota to be counted"
        wait_until(service, RESOURCE_QUOTA, name, what, lambda found: bool(found.get("status", {}).get("used")))
        with _uncreated(service):
            yield
    finally:
        kube.delete(RESOURCE_QUOTA, name, namespace)


@fault()
def pods_refused(service: LlmService) -> Iterator[None]:
    """An admission policy refuses the servers' pods, as GKE's does where chips do not fit, and they are made anew."""
    kube, namespace = service.kube, service.namespace
    refusal = Refusal(
        f"llmisvc-conformance-no-pods-{namespace}",
        "system:serviceaccount:kube-system:replicaset-controller",
        ["pods"],
        namespace,
        {
            "apiVersion": POD.api,
            "kind": POD.kind,
            "metadata": {"namespace": namespace},
            "spec": {"containers": [{"name": "none", "image": "none"}]},
        },
        POD.path(namespace=namespace),
        made_for(kube.get(NAMESPACE, namespace), "pods_refused"),
    )
    with refused(kube, refusal), _uncreated(service):
        yield


@fault(scope=Scope.CLUSTER)
def taint_lost(service: LlmService) -> Iterator[None]:
    """The server's node has lost its taint, as when a node pool is made anew without it."""
    (resource,) = accelerators_of(service)
    with without(service.kube, service.pods()[0]["spec"]["nodeName"], resource):
        yield


@fault()
def stranger_on_node(service: LlmService) -> Iterator[None]:
    """A pod that has nothing to do with accelerators runs on the server's node, past the scheduler."""
    kube, namespace, server, name = service.kube, service.namespace, service.pods()[0], "stranger"
    image = next(each["image"] for each in server["spec"]["containers"] if each["name"] == SERVER_CONTAINER)
    container = {"name": "main", "image": image, "command": ["/bin/sleep", "3600"]}
    container["imagePullPolicy"] = "IfNotPresent"
    # The kubelet throws no pod out for a taint NoSchedule.
    spec = {"nodeName": server["spec"]["nodeName"], "containers": [container], "terminationGracePeriodSeconds": 0}
    labels = made_for(kube.get(NAMESPACE, namespace), name) | {"sidecar.istio.io/inject": "false"}
    meta = {"name": name, "namespace": namespace, "labels": labels}
    chosen = Selection(POD, namespace, name)
    try:
        kube.apply({"apiVersion": POD.api, "kind": POD.kind, "metadata": meta, "spec": spec})
        converge(kube, "a pod on the server's node", chosen, _runs, budget=seconds("fault-effect"))
        yield
    finally:
        kube.delete(POD, name, namespace)
        converge(kube, f"{name} to be gone", chosen, gone, budget=seconds("fault-recovery"))


@fault()
def surge_beyond_pool(service: LlmService) -> Iterator[None]:
    """A rollout would make more new pods at once than accelerators are free."""
    kube, namespace, name = service.kube, service.namespace, service.children["workload"][1]
    before = service.child("workload")["spec"]["strategy"]
    with controller_held(service):
        try:
            more = {"type": "RollingUpdate", "rollingUpdate": {**before.get("rollingUpdate", {}), "maxSurge": _MANY}}
            kube.patch(DEPLOYMENT, name, namespace, _strategy(more), how="json")
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, _strategy(before), how="json")


@fault()
def selector_misspelt_on_paper(service: LlmService) -> Iterator[None]:
    """The next server pod would select nodes by a label that none has."""

    def change(spec: Object, _: Object) -> None:
        spec["nodeSelector"] = {"cloud.google.com/gke-acelerator": "nvidia-tesla-t4"}

    with on_paper(service, change):
        yield


def accelerators_of(service: LlmService) -> list[str]:
    """The extended resources that the servers are limited to: they have a domain in their name."""
    template = service.child("workload")["spec"]["template"]["spec"]
    limits = [each.get("resources", {}).get("limits", {}) for each in template["containers"]]
    return sorted({key for each in limits for key in each if "/" in key})


def asking(service: LlmService, number: int) -> Change:
    """A change by which the server asks for so many accelerators."""
    (resource,) = accelerators_of(service)

    def change(_: Object, container: Object) -> None:
        for how in ("requests", "limits"):
            container["resources"][how][resource] = str(number)

    return change


@contextmanager
def _uncreated(service: LlmService) -> Iterator[None]:
    """The servers' template changed where no pod may be made, until the Deployment says so."""

    def failed(deployment: Object) -> bool:
        found = conditions(deployment).get("ReplicaFailure")
        return found is not None and found.status == "True"

    def change(spec: Object, _: Object) -> None:
        spec["terminationGracePeriodSeconds"] = 7

    # On paper, then off it: no second pod can come.
    with on_paper(service, change):
        name = service.children["workload"][1]
        service.kube.patch(DEPLOYMENT, name, service.namespace, {"spec": {"paused": False}})
        wait_until(service, DEPLOYMENT, name, "pods that cannot be made", failed)
        yield


def _strategy(strategy: Object) -> list[Object]:
    return [{"op": "replace", "path": "/spec/strategy", "value": strategy}]


def _runs(found: list[Object]) -> str:
    return "" if found and pods.is_ready(found[0]) else "; ".join(pods.line(each) for each in found) or "no pod"


def _say(service: LlmService, pod: Object, reason: str, message: str) -> None:
    """An event about a pod, as a cluster autoscaler writes it."""
    meta, now = pod["metadata"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {"kind": POD.kind, "apiVersion": POD.api, "name": meta["name"], "namespace": meta["namespace"]}
    service.kube.create(
        {
            "apiVersion": EVENT.api,
            "kind": EVENT.kind,
            "metadata": {"generateName": "autoscaler-", "namespace": meta["namespace"]},
            "involvedObject": about | {"uid": meta["uid"]},
            "reason": reason,
            "message": message,
            "type": "Normal",
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": "cluster-autoscaler"},
        }
    )
