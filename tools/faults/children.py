"""Faults of single children, while the controller is held: it would put most of them back within a second."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tools.faults.common import fault_labels, recreatable, wait_until
from tools.faults.fault import Scope, fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.family import Child, family
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import LlmService
from tools.waiting.timeouts import seconds

_PART_OF = "app.kubernetes.io/part-of"
_COMPONENT = "kserve.io/component"


@fault()
def service_of_another_protocol(service: LlmService) -> Iterator[None]:
    """The workload Service says that its port speaks https, which it does not."""
    with child_changed(service, "workload service", lambda it: it["spec"]["ports"][0].update(appProtocol="https")):
        yield


@fault()
def role_narrowed(service: LlmService) -> Iterator[None]:
    """The picker's Role has lost its last rule; KServe does not watch Roles."""
    with child_changed(service, "picker role", lambda it: it["rules"].pop()):
        yield


@fault()
def account_without_secrets(service: LlmService) -> Iterator[None]:
    """The picker's ServiceAccount has lost its Secrets; KServe does not watch ServiceAccounts."""
    with child_changed(service, "picker account", lambda it: it.update(secrets=[])):
        yield


@fault()
def account_disowned(service: LlmService) -> Iterator[None]:
    """The picker's ServiceAccount belongs to nobody, and stays when the service goes."""
    with child_changed(service, "picker account", lambda it: it["metadata"].update(ownerReferences=[])):
        yield


@fault()
def owner_taken_off(service: LlmService) -> Iterator[None]:
    """The picker's Service belongs to nobody, and stays when the service goes."""
    with child_changed(service, "picker service", lambda it: it["metadata"].update(ownerReferences=[])):
        yield


@fault()
def label_taken_off(service: LlmService) -> Iterator[None]:
    """The pool has lost the label by which KServe finds its children."""
    with child_changed(service, "pool", lambda it: it["metadata"]["labels"].pop(_PART_OF)):
        yield


@fault(scope=Scope.CLUSTER)
def token_reviews_unbound(service: LlmService) -> Iterator[None]:
    """The picker's ClusterRoleBinding is gone, so that it can ask nobody who may read its metrics."""
    child = child_of(service, "picker token reviews")
    before = service.kube.get(child.kind, child.name)
    with controller_held(service):
        try:
            service.kube.delete(child.kind, child.name)
            chosen = Selection(child.kind, name=child.name)
            converge(service.kube, f"{child.name} to be gone", chosen, gone, budget=seconds("fault-effect"))
            yield
        finally:
            if service.kube.find(child.kind, child.name) is None:
                service.kube.apply(recreatable(before))


@fault()
def former_child(service: LlmService) -> Iterator[None]:
    """A Deployment of an earlier specification is still there, with all labels, and without pods."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-kserve-prefill"
    former = recreatable(service.child("workload"))
    former["metadata"]["name"] = name
    former["metadata"]["labels"] |= fault_labels(service, "former_child")
    former["metadata"]["ownerReferences"] = []
    former["spec"]["replicas"] = 0
    with controller_held(service):
        try:
            kube.apply(former)
            yield
        finally:
            kube.delete(DEPLOYMENT, name, namespace)
            chosen = Selection(DEPLOYMENT, namespace, name)
            converge(kube, f"{name} to be gone", chosen, gone, budget=seconds("fault-recovery"))


@fault()
def server_unlabelled(service: LlmService) -> Iterator[None]:
    """A label is taken off a server's pod: its Deployment makes another, and this one runs on, with its accelerator."""
    kube, namespace = service.kube, service.namespace
    name = service.children["workload"][1]
    pod = service.servers()[0]["metadata"]["name"]
    try:
        kube.patch(POD, pod, namespace, {"metadata": {"labels": {_COMPONENT: None}}})
        wait_until(service, DEPLOYMENT, name, "another server in its place", is_whole)
        yield
    finally:
        kube.delete(POD, pod, namespace)
        chosen = Selection(POD, namespace, pod)
        converge(kube, f"pod {pod} to be gone", chosen, gone, budget=seconds("fault-recovery"))
        wait_until(service, DEPLOYMENT, name, "the servers as before", is_whole)


@fault()
def argument_dropped(service: LlmService) -> Iterator[None]:
    """The servers' Deployment has lost an argument that the service states; a new revision waits beside the old one."""

    def drop(container: Object) -> None:
        container["args"] = [each for each in container["args"] if not each.startswith("--max-model-len")]

    with _server_changed(service, drop):
        yield


@fault()
def probe_of_another_scheme(service: LlmService) -> Iterator[None]:
    """The servers are asked for readiness by HTTPS, which they do not speak: no new one becomes ready."""
    with _server_changed(service, lambda it: it["readinessProbe"]["httpGet"].update(scheme="HTTPS")):
        yield


@contextmanager
def child_changed(service: LlmService, part: str, change: Callable[[Object], Any]) -> Iterator[None]:
    """A child that is changed while the controller is held."""
    kube, child = service.kube, child_of(service, part)
    before = kube.get(child.kind, child.name, child.namespace)
    changed = copy.deepcopy(before)
    change(changed)
    with controller_held(service):
        try:
            _replace(service, child, changed)
            yield
        finally:
            _replace(service, child, before)


def child_of(service: LlmService, part: str) -> Child:
    """A child of the service by its part."""
    made = family(service.name, service.namespace, service.read()["spec"])
    return next(each for each in made if each.part == part)


def is_whole(deployment: Object) -> bool:
    """Whether a Deployment is rolled out as it is now."""
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    fresh = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return fresh and counts == {wanted}


@contextmanager
def _server_changed(service: LlmService, change: Callable[[Object], Any]) -> Iterator[None]:
    """The container of the servers' Deployment changed, which is paused, so that no server is replaced."""
    name = service.children["workload"][1]

    def paused(deployment: Object) -> None:
        deployment["spec"]["paused"] = True
        change(deployment["spec"]["template"]["spec"]["containers"][0])

    with child_changed(service, "workload", paused):
        yield
    wait_until(service, DEPLOYMENT, name, "the servers as before", is_whole)


def _replace(service: LlmService, child: Child, content: Object) -> None:
    """Put an object in place of the one that is there, whatever version that is of."""
    body = copy.deepcopy(content)
    # Without a version custom resources are not taken.
    now = service.kube.get(child.kind, child.name, child.namespace)
    body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"]
    service.kube.request("PUT", child.kind.path(child.name, child.namespace), {"fieldManager": "somebody"}, body)
