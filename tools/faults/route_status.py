"""Faults of what is said of the route, while it is well: stale words, words of others, words that are not true."""

import copy
from collections.abc import Iterator

from tools.faults.common import wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held, istiod_held
from tools.faults.route_change import looked_at
from tools.kube.client import Object
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import LlmService

_POLICY = "policy.example/controller"


@fault()
def status_is_stale(service: LlmService) -> Iterator[None]:
    """The route has changed, and istiod, kept from saying so, has not: its words are about what the route was."""
    kind, name = service.children["route"]
    before = service.child("route")["spec"]["rules"]
    # Something that takes no request: a path that nobody asks for.
    more = [*before, {"matches": [{"path": {"type": "Exact", "value": "/llmisvc-conformance/nothing"}}]}]
    with controller_held(service):
        try:
            with istiod_held(service, "httproutes/status"):
                found = _with_rules(service, more)
                generation = found["metadata"]["generation"]
                wait_until(
                    service, kind, name, "the new generation", lambda it: it["metadata"]["generation"] == generation
                )
                yield
        finally:
            found = _with_rules(service, before)
            generation = found["metadata"]["generation"]
            wait_until(service, kind, name, "istiod's word of the route", lambda it: looked_at(it, generation))


@fault()
def status_of_a_policy_controller(service: LlmService) -> Iterator[None]:
    """The only entry in the route's status is of a policy controller, which has said yes for the same parent."""
    kind, name = service.children["route"]
    before = service.child("route")["status"]
    other = copy.deepcopy(before)
    for each in other["parents"]:
        each["controllerName"] = _POLICY
    with controller_held(service):
        try:
            with istiod_held(service, "httproutes/status"):
                service.kube.patch(kind, name, service.namespace, {"status": other}, subresource="status")
                wait_until(service, kind, name, "the entry of a policy controller", _is_policys)
                yield
        finally:
            service.kube.patch(kind, name, service.namespace, {"status": before}, subresource="status")
            wait_until(service, kind, name, "istiod's entry alone", lambda it: not _is_policys(it))


@fault()
def readiness_denied(service: LlmService) -> Iterator[None]:
    """KServe says that the route is not ready, although its gateway has taken it: it looked at the wrong entry."""
    before = service.read()["status"]
    denied = [
        each | {"status": "False", "reason": "HTTPRoutesNotReady", "message": "an entry of a policy controller"}
        if each["type"] == "HTTPRoutesReady"
        else each
        for each in before["conditions"]
    ]
    with controller_held(service):
        try:
            _patch_status(service, {"conditions": denied})
            wait_until(
                service, LLM_SERVICE, service.name, "the condition", lambda it: it["status"]["conditions"] == denied
            )
            yield
        finally:
            _patch_status(service, {"conditions": before["conditions"]})


@fault()
def model_renamed(service: LlmService) -> Iterator[None]:
    """The service says that its model has another name than the servers have it under: they were not made anew."""
    before = service.read()["spec"]["model"].get("name")
    with controller_held(service):
        try:
            _patch_model(service, "another/name")
            wait_until(
                service,
                LLM_SERVICE,
                service.name,
                "the other name",
                lambda it: it["spec"]["model"].get("name") == "another/name",
            )
            yield
        finally:
            _patch_model(service, before)


def _with_rules(service: LlmService, rules: list[Object]) -> Object:
    kind, name = service.children["route"]
    change = [{"op": "replace", "path": "/spec/rules", "value": rules}]
    return service.kube.patch(kind, name, service.namespace, change, how="json")


def _is_policys(route: Object) -> bool:
    return {each["controllerName"] for each in route["status"]["parents"]} == {_POLICY}


def _patch_status(service: LlmService, status: Object) -> None:
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, {"status": status}, subresource="status")


def _patch_model(service: LlmService, name: str | None) -> None:
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, {"spec": {"model": {"name": name}}})
