"""Faults between the client and the servers: Gateway, route, the way to the picker."""

from collections.abc import Iterator

from tools.faults.common import fault_labels, gateway_root, recreatable, wait_for_answer, wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.conditions import parents
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import DESTINATION_RULE, GATEWAY, HTTP_ROUTE, LLM_SERVICE
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply, Request
from tools.waiting.timeouts import seconds


@fault()
def destination_rule_removed(service: LlmService) -> Iterator[None]:
    """Without its DestinationRule the gateway speaks plaintext to a picker that serves TLS.

    Which of two things then happens to a request is a race in Envoy: most are 500, the others fail open, unpicked.
    """
    kube, namespace = service.kube, service.namespace
    host = service.children["picker service"][1]
    rules = [rule for rule in kube.objects(DESTINATION_RULE, namespace) if rule["spec"]["host"].split(".")[0] == host]
    try:
        for rule in rules:
            kube.delete(DESTINATION_RULE, rule["metadata"]["name"], namespace)
        wait_for_answer(service, "completions are 500", Client.complete, lambda reply: reply.status == 500, in_a_row=1)
        yield
    finally:
        for rule in rules:
            kube.apply(recreatable(rule))
        wait_for_answer(service, "completions are 200 again", Client.complete, _is_ok)


@fault()
def route_deleted(service: LlmService) -> Iterator[None]:
    """The HTTPRoute is gone, and nobody makes it again."""
    kube, namespace = service.kube, service.namespace
    kind, name = service.children["route"]
    before = service.child("route")
    with controller_held(service):
        try:
            kube.delete(kind, name, namespace)
            converge(kube, f"{name} to be gone", Selection(kind, namespace, name), gone, budget=seconds("fault-effect"))
            wait_for_answer(service, "completions are 404", Client.complete, lambda reply: reply.status == 404)
            yield
        finally:
            kube.apply(recreatable(before))
            wait_for_answer(service, "completions are 200 again", Client.complete, _is_ok)


@fault()
def route_past_the_pool(service: LlmService) -> Iterator[None]:
    """The route sends completions and chat to the workload Service, so that no picker is asked."""
    kube, namespace = service.kube, service.namespace
    kind, name = service.children["route"]
    rules = service.child("route")["spec"]["rules"]
    backend = {"kind": "Service", "name": service.children["workload service"][1], "port": 8000}
    past = [rule | {"backendRefs": [backend]} for rule in rules]
    with controller_held(service):
        try:
            found = kube.patch(kind, name, namespace, _rules(past), how="json")
            generation = found["metadata"]["generation"]
            wait_until(service, kind, name, "the gateway to take the route", lambda it: _taken(it, generation))
            yield
        finally:
            found = kube.patch(kind, name, namespace, _rules(rules), how="json")
            wait_until(
                service, kind, name, "the route as before", lambda it: _taken(it, found["metadata"]["generation"])
            )


@fault()
def status_of_another_gateway(service: LlmService) -> Iterator[None]:
    """status speaks of another Gateway than the one that the service is behind."""
    kube, namespace = service.kube, service.namespace
    before = service.read()["status"]
    gateways = [gateway | {"name": "another-gateway"} for gateway in before["router"]["gateways"]]
    lie = before | {"url": "http://192.0.2.1/elsewhere", "router": before["router"] | {"gateways": gateways}}
    with controller_held(service):
        try:
            kube.patch(LLM_SERVICE, service.name, namespace, {"status": lie}, subresource="status")
            wait_until(
                service, LLM_SERVICE, service.name, "the other url", lambda it: it["status"]["url"] == lie["url"]
            )
            yield
        finally:
            kube.patch(LLM_SERVICE, service.name, namespace, {"status": before}, subresource="status")


@fault(breaks_gateway=True)
def every_path_routed(service: LlmService) -> Iterator[None]:
    """Another route on the service's Gateway sends every path to the servers."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-everything"
    labels = fault_labels(service, "every_path_routed")
    route = {
        "apiVersion": HTTP_ROUTE.api,
        "kind": HTTP_ROUTE.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "parentRefs": [{"name": service.gateway.name, "namespace": service.gateway.namespace}],
            "rules": [{"backendRefs": [{"name": service.children["workload service"][1], "port": 8000}]}],
        },
    }
    try:
        kube.apply(route)
        wait_for_answer(service, "the server answers an unknown path", _unknown_path, _passed_on)
        yield
    finally:
        kube.delete(HTTP_ROUTE, name, namespace)
        wait_for_answer(
            service, "the gateway refuses an unknown path again", _unknown_path, lambda it: not _passed_on(it)
        )


@fault(breaks_gateway=True)
def gateway_of_unknown_class(service: LlmService) -> Iterator[None]:
    """The Gateway is given to a class that nobody serves: its conditions go on being True, about what it was before."""
    kube, name, namespace = service.kube, service.gateway.name, service.gateway.namespace
    before = service.read_gateway()["spec"]["gatewayClassName"]
    try:
        changed = {"spec": {"gatewayClassName": "no-such-class"}}
        generation = kube.patch(GATEWAY, name, namespace, changed)["metadata"]["generation"]
        wait_until(service, GATEWAY, name, "the new class", lambda it: it["metadata"]["generation"] == generation)
        yield
    finally:
        kube.patch(GATEWAY, name, namespace, {"spec": {"gatewayClassName": before}})
        wait_for_answer(service, "completions are 200 again", Client.complete, _is_ok)


def _unknown_path(client: Client) -> Reply:
    return client.send(Request("GET", f"{gateway_root(client)}/no/such/path", {}))


def _passed_on(reply: Reply) -> bool:
    return "x-envoy-upstream-service-time" in reply.headers


def _rules(rules: list[Object]) -> list[Object]:
    return [{"op": "replace", "path": "/spec/rules", "value": rules}]


def _taken(route: Object, generation: int) -> bool:
    entries = [condition for _, at in parents(route) for condition in at.values()]
    return bool(entries) and all(condition.observed == generation for condition in entries)


def _is_ok(reply: Reply) -> bool:
    return reply.status == 200
