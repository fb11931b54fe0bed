"""Faults of what the controller keeps up: the specification, its children, and what they are made of."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tools.faults.common import fault_labels, recreatable, wait_ready, wait_until
from tools.faults.fault import Scope, fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.family import Child, family
from tools.kube.kinds import DEPLOYMENT, HTTP_ROUTE, LLM_CONFIG, LLM_SERVICE
from tools.kube.llm_service import LlmService
from tools.waiting.timeouts import seconds

_ROUTE_PRESET = "kserve-config-llm-router-route"
_NAME = "KSERVE_CONFORMANCE"


@fault()
def spec_edited(service: LlmService) -> Iterator[None]:
    """Somebody edited the service's specification, and the controller has not seen it: it is Ready for what it was."""
    kube, namespace = service.kube, service.namespace
    before = service.read()["spec"]["template"]["containers"]
    edited = copy.deepcopy(before)
    edited[0]["env"] = [*edited[0].get("env", []), {"name": _NAME, "value": "edited"}]
    with controller_held(service):
        try:
            kube.patch(LLM_SERVICE, service.name, namespace, _spec(edited))
            yield
        finally:
            kube.patch(LLM_SERVICE, service.name, namespace, _spec(before))
    wait_ready(service)


@fault()
def preset_shadowed(service: LlmService) -> Iterator[None]:
    """A configuration in the service's namespace is called like KServe's preset of routes, and is taken for it."""
    kube, namespace = service.kube, service.namespace
    preset = kube.get(LLM_CONFIG, _ROUTE_PRESET, service.controller.namespace)
    spec = copy.deepcopy(preset["spec"])
    for rule in spec["router"]["route"]["http"]["spec"]["rules"]:
        rule["timeouts"] = {"request": "60s", "backendRequest": "60s"}
    labels = fault_labels(service, "preset_shadowed")
    shadow = {
        "apiVersion": LLM_CONFIG.api,
        "kind": LLM_CONFIG.kind,
        "metadata": {"name": _ROUTE_PRESET, "namespace": namespace, "labels": labels},
        "spec": spec,
    }
    name = service.children["route"][1]
    try:
        kube.apply(shadow)
        _touch(service)
        wait_until(service, HTTP_ROUTE, name, "the shadow's timeouts", lambda it: _timeouts(it) == {"60s"})
        yield
    finally:
        kube.delete(LLM_CONFIG, _ROUTE_PRESET, namespace)
        _touch(service)
        wait_until(service, HTTP_ROUTE, name, "the preset's timeouts", lambda it: "60s" not in _timeouts(it))
        wait_ready(service)


@fault()
def scheduler_config_kept(service: LlmService) -> Iterator[None]:
    """Somebody changed a weight in the picker's configuration; KServe keeps what it finds there."""
    kube, namespace = service.kube, service.namespace
    name = service.children["picker"][1]
    containers = service.child("picker")["spec"]["template"]["spec"]["containers"]
    index = next(at for at, each in enumerate(containers) if each["name"] == "main")
    path = f"/spec/template/spec/containers/{index}/args"
    before = containers[index]["args"]
    after = [each.replace("weight: 2", "weight: 9") for each in before]
    try:
        kube.patch(DEPLOYMENT, name, namespace, [{"op": "replace", "path": path, "value": after}], how="json")
        wait_until(service, DEPLOYMENT, name, "the picker anew", _is_whole)
        yield
    finally:
        kube.patch(DEPLOYMENT, name, namespace, [{"op": "replace", "path": path, "value": before}], how="json")
        wait_until(service, DEPLOYMENT, name, "the picker as before", _is_whole)
        wait_ready(service)


@fault()
def scheduler_config_broken(service: LlmService) -> Iterator[None]:
    """The picker's configuration names a plugin that does not exist: its pod does not start."""
    kube, namespace = service.kube, service.namespace
    name = service.children["picker"][1]
    containers = service.child("picker")["spec"]["template"]["spec"]["containers"]
    index = next(at for at, each in enumerate(containers) if each["name"] == "main")
    path = f"/spec/template/spec/containers/{index}/args"
    before = containers[index]["args"]
    after = [each.replace("queue-scorer", "no-such-scorer") for each in before]
    with controller_held(service):
        try:
            kube.patch(DEPLOYMENT, name, namespace, [{"op": "replace", "path": path, "value": after}], how="json")
            wait_until(service, DEPLOYMENT, name, "a picker that is not available", _has_none)
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, [{"op": "replace", "path": path, "value": before}], how="json")
            wait_until(service, DEPLOYMENT, name, "the picker as before", _is_whole)
    wait_ready(service)


@fault()
def server_service_changed(service: LlmService) -> Iterator[None]:
    """The workload Service says that its port speaks https, which it does not."""
    with _child_changed(service, "workload service", lambda it: it["spec"]["ports"][0].update(appProtocol="https")):
        yield


@fault()
def role_narrowed(service: LlmService) -> Iterator[None]:
    """The picker's Role has lost its last rule; KServe does not watch Roles."""
    with _child_changed(service, "picker role", lambda it: it["rules"].pop()):
        yield


@fault()
def account_without_secrets(service: LlmService) -> Iterator[None]:
    """The picker's ServiceAccount has lost its Secrets; KServe does not watch ServiceAccounts."""
    with _child_changed(service, "picker account", lambda it: it.update(secrets=[])):
        yield


@fault(scope=Scope.CLUSTER)
def token_reviews_unbound(service: LlmService) -> Iterator[None]:
    """The picker's ClusterRoleBinding is gone, so that it can ask nobody who may read its metrics."""
    child = _child(service, "picker token reviews")
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


@contextmanager
def _child_changed(service: LlmService, part: str, change: Callable[[Object], Any]) -> Iterator[None]:
    """A child that is changed while the controller is held."""
    kube, child = service.kube, _child(service, part)
    before = kube.get(child.kind, child.name, child.namespace)
    changed = copy.deepcopy(before)
    change(changed)
    with controller_held(service):
        try:
            _replace(service, child, changed)
            yield
        finally:
            _replace(service, child, before)


def _replace(service: LlmService, child: Child, content: Object) -> None:
    """Put an object in place of the one that is there, whatever version that is of."""
    body = copy.deepcopy(content)
    body["metadata"].pop("resourceVersion", None)
    service.kube.request("PUT", child.kind.path(child.name, child.namespace), {"fieldManager": "somebody"}, body)


def _child(service: LlmService, part: str) -> Child:
    made = family(service.name, service.namespace, service.read()["spec"])
    return next(each for each in made if each.part == part)


def _touch(service: LlmService) -> None:
    """Have the controller look at the service at once."""
    found = service.read()["metadata"]
    stamp = {"metadata": {"annotations": {"llmisvc-conformance/touched": found["resourceVersion"]}}}
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, stamp)


def _spec(containers: list[Object]) -> Object:
    return {"spec": {"template": {"containers": containers}}}


def _timeouts(route: Object) -> set[str]:
    return {rule.get("timeouts", {}).get("request", "") for rule in route["spec"]["rules"]}


def _has_none(deployment: Object) -> bool:
    status = deployment["status"]
    fresh: bool = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return fresh and status.get("updatedReplicas", 0) > 0 and status.get("availableReplicas", 0) == 0


def _is_whole(deployment: Object) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    fresh = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return fresh and counts == {wanted}
