"""Faults of what the controller keeps up: the specification, its children, and what they are made of."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.faults.children import is_whole
from tools.faults.common import fault_labels, wait_ready, wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.conditions import conditions
from tools.kube.kinds import DEPLOYMENT, HTTP_ROUTE, LLM_CONFIG, LLM_SERVICE
from tools.kube.llm_service import LlmService

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
    try:
        with _picker_arguments(service, "weight: 2", "weight: 9", "the picker anew", is_whole):
            yield
    finally:
        wait_ready(service)


@fault()
def scheduler_config_broken(service: LlmService) -> Iterator[None]:
    """The picker's configuration names a plugin that does not exist: its pod does not start."""
    with (
        controller_held(service),
        _picker_arguments(service, "queue-scorer", "no-such-scorer", "a picker that is not available", _has_none),
    ):
        yield
    wait_ready(service)


@fault()
def scaling_without_its_crd(service: LlmService) -> Iterator[None]:
    """The service is to be scaled by an autoscaler that is not installed."""
    kube, namespace, name = service.kube, service.namespace, service.name
    before = service.read()["spec"]["replicas"]
    scaling = {"maxReplicas": 2, "wva": {"hpa": {}}}
    try:
        kube.patch(LLM_SERVICE, name, namespace, {"spec": {"replicas": None, "scaling": scaling}})
        wait_until(service, LLM_SERVICE, name, "the controller to miss the autoscaler's kind", _lacks_kind)
        yield
    finally:
        kube.patch(LLM_SERVICE, name, namespace, {"spec": {"replicas": before, "scaling": None}})
        wait_ready(service)


@contextmanager
def _picker_arguments(
    service: LlmService, old: str, new: str, what: str, shows: Callable[[Object], bool]
) -> Iterator[None]:
    """The picker's arguments with other words while entered; ends when it is whole as before."""
    kube, namespace = service.kube, service.namespace
    name = service.children["picker"][1]
    containers = service.child("picker")["spec"]["template"]["spec"]["containers"]
    index = next(at for at, each in enumerate(containers) if each["name"] == "main")
    path = f"/spec/template/spec/containers/{index}/args"
    before = containers[index]["args"]
    after = [each.replace(old, new) for each in before]
    try:
        kube.patch(DEPLOYMENT, name, namespace, [{"op": "replace", "path": path, "value": after}], how="json")
        wait_until(service, DEPLOYMENT, name, what, shows)
        yield
    finally:
        kube.patch(DEPLOYMENT, name, namespace, [{"op": "replace", "path": path, "value": before}], how="json")
        wait_until(service, DEPLOYMENT, name, "the picker as before", is_whole)


def _touch(service: LlmService) -> None:
    """Have the controller look at the service at once."""
    found = service.read()["metadata"]
    stamp = {"metadata": {"annotations": {"llmisvc-conformance/touched": found["resourceVersion"]}}}
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, stamp)


def _lacks_kind(found: Object) -> bool:
    return any(each.reason == "ScalingCRDNotFound" for each in conditions(found).values())


def _spec(containers: list[Object]) -> Object:
    return {"spec": {"template": {"containers": containers}}}


def _timeouts(route: Object) -> set[str]:
    return {rule.get("timeouts", {}).get("request", "") for rule in route["spec"]["rules"]}


def _has_none(deployment: Object) -> bool:
    status = deployment["status"]
    fresh: bool = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return fresh and status.get("updatedReplicas", 0) > 0 and status.get("availableReplicas", 0) == 0
