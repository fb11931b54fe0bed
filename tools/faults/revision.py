"""The servers' Deployment with another template: as a second pod beside the one that serves, or only on paper."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tools.faults.common import wait_until
from tools.faults.hold import controller_held
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService
from tools.waiting.timeouts import seconds

# Gets a pod's specification and its server's container, and changes them in place.
Change = Callable[[Object, Object], None]


@contextmanager
def on_paper(service: LlmService, change: Change) -> Iterator[None]:
    """The Deployment is paused with a changed template: what the next server would get; no pod is made or ended."""
    with _changed(service, change, {}, paused=True):
        yield


@contextmanager
def beside(
    service: LlmService,
    change: Change,
    shows: Callable[[Object], bool],
    annotations: Mapping[str, str] | None = None,
) -> Iterator[Object]:
    """A second pod, of a changed template, beside the one that serves on; entered when `shows` holds of it.

    Args:
        service: whose.
        change: of the template's specification.
        shows: whether the pod is as the change makes it; one that gets Ready takes the place of the first.
        annotations: that the template has besides.

    Yields:
        the pod, as it was then.
    """
    old = {pod["metadata"]["name"] for pod in service.pods()}

    def quickly(spec: Object, container: Object) -> None:
        change(spec, container)
        # Or what runs would sleep for a while before it ends.
        spec["terminationGracePeriodSeconds"] = 1

    found: list[Object] = []

    def decide(all_of_them: list[Object]) -> str:
        new = [each for each in all_of_them if each["metadata"]["name"] not in old]
        found[:] = [each for each in new if shows(each)]
        return "" if found else "; ".join(pods.line(each) for each in new) or "no second pod"

    with _changed(service, quickly, annotations or {}, paused=False):
        labels = f"{PART_OF},app.kubernetes.io/name={service.name},kserve.io/component=workload"
        chosen = Selection(POD, service.namespace, labels=labels)
        converge(service.kube, "the fault in effect", chosen, decide, budget=seconds("fault-recovery"))
        yield found[0]


def as_it_is(_: Object, __: Object) -> None:
    """The change that changes nothing."""


def waits(*reasons: str) -> Callable[[Object], bool]:
    """A container waits, with one of these reasons."""

    def shows(pod: Object) -> bool:
        return any(each.get("state", {}).get("waiting", {}).get("reason") in reasons for each in pods.statuses(pod))

    return shows


def ended(pod: Object) -> bool:
    """A server has ended, and waits to be started again or has been."""
    status = pods.container_status(pod, SERVER_CONTAINER) or {}
    return status.get("restartCount", 0) > 0 and bool(status.get("lastState", {}).get("terminated"))


def unscheduled(pod: Object) -> bool:
    """The scheduler has no node for a pod."""
    rows = pod.get("status", {}).get("conditions", [])
    return any(row["type"] == "PodScheduled" and row["status"] == "False" for row in rows)


@contextmanager
def _changed(service: LlmService, change: Change, annotations: Mapping[str, str], *, paused: bool) -> Iterator[None]:
    kube, namespace, name = service.kube, service.namespace, service.children["workload"][1]
    before = service.child("workload")["spec"]
    template = copy.deepcopy(before["template"])
    change(template["spec"], pods.container(template, SERVER_CONTAINER) or {})
    if annotations:
        template["metadata"]["annotations"] = template["metadata"].get("annotations", {}) | dict(annotations)
    was_paused = before.get("paused", False)
    with controller_held(service):
        try:
            kube.patch(DEPLOYMENT, name, namespace, _put(template, paused or was_paused), how="json")
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, _put(before["template"], was_paused), how="json")
            wait_until(service, DEPLOYMENT, name, "the old revision alone", _is_whole)


def _put(template: Object, paused: bool) -> list[Object]:
    return [
        {"op": "add", "path": "/spec/paused", "value": paused},
        {"op": "replace", "path": "/spec/template", "value": template},
    ]


def _is_whole(deployment: Object) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    fresh = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return fresh and counts == {wanted}
