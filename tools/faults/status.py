"""Faults of the status: what it says is not so. The controller is held, or it would put it right at once."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import LlmService

_STAMP = "2026-01-01T00:00:00Z"


@fault()
def ready_for_another_generation(service: LlmService) -> Iterator[None]:
    """The status is about the generation before, as when the controller stopped between a change and its effect."""
    with _said(service, lambda status: status.update(observedGeneration=status["observedGeneration"] - 1)):
        yield


@fault()
def conditions_lost(service: LlmService) -> Iterator[None]:
    """The condition about the pool is missing; nothing else says that no pool was looked at."""

    def lose(status: Object) -> None:
        status["conditions"] = [each for each in status["conditions"] if each["type"] != "InferencePoolReady"]

    with _said(service, lose):
        yield


@fault()
def condition_of_its_own(service: LlmService) -> Iterator[None]:
    """Somebody else writes a condition into the status."""
    row = {"type": "SomebodyIsHappy", "status": "True", "reason": "No", "lastTransitionTime": _STAMP}
    with _said(service, lambda status: status["conditions"].append(row)):
        yield


@fault()
def sum_without_parts(service: LlmService) -> Iterator[None]:
    """Ready is True though the servers are said not to be."""
    with _said(service, lambda status: _set(status, ["MainWorkloadReady", "WorkloadsReady"], "NoReason", "")):
        yield


@fault()
def waits_for_a_gateway(service: LlmService) -> Iterator[None]:
    """The service says that no Gateway has accepted its pool, while requests are served through it."""
    types = ["InferencePoolReady", "RouterReady", "Ready"]
    with _said(service, lambda status: _set(status, types, "WaitingForGateway", "no Gateway has accepted it yet")):
        yield


@fault()
def addresses_of_another(service: LlmService) -> Iterator[None]:
    """status.addresses has an address that is not the Gateway's, as after its load balancer was made anew."""
    stale = {"url": "http://192.0.2.1/elsewhere", "name": "gateway-external"}
    with _said(service, lambda status: status["addresses"].append(stale)):
        yield


@fault()
def url_lost(service: LlmService) -> Iterator[None]:
    """status.url is empty: nobody is told where the service is."""
    with _said(service, lambda status: status.update(url="")):
        yield


@contextmanager
def _said(service: LlmService, change: Callable[[Object], Any]) -> Iterator[None]:
    """Another status, of our making, while the controller cannot write."""
    kube, namespace = service.kube, service.namespace
    before = service.read()["status"]
    said = copy.deepcopy(before)
    change(said)
    with controller_held(service):
        try:
            kube.patch(LLM_SERVICE, service.name, namespace, {"status": said}, subresource="status")
            if service.read()["status"] != said:
                raise RuntimeError("the status is not what was written")
            yield
        finally:
            kube.patch(LLM_SERVICE, service.name, namespace, {"status": before}, subresource="status")


def _set(status: Object, types: list[str], reason: str, message: str) -> None:
    for each in status["conditions"]:
        if each["type"] in types:
            each.update(status="False", reason=reason, message=message)
