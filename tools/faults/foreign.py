"""Faults by others on the service's Gateway: routes that take its requests, and further services."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.faults.admitted import as_a_service
from tools.faults.common import recreatable, wait_for_answer, wait_until
from tools.faults.fault import fault
from tools.faults.impostor import PORT, impostor
from tools.faults.route_change import looked_at
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import DEPLOYMENT, DESTINATION_RULE, GATEWAY, HTTP_ROUTE, LLM_SERVICE, NAMESPACE
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService, not_ready
from tools.manifests.place import destination_rule
from tools.openai.client import Client
from tools.openai.marks import through_picker
from tools.openai.reply import Reply
from tools.waiting.timeouts import seconds

Ask = Callable[[Client], Reply]
Shows = Callable[[Reply], bool]


@fault()
def exact_path_taken(service: LlmService) -> Iterator[None]:
    """A route beside the service's takes its chats, because an exact path goes before any prefix, to another server."""
    path = {"type": "Exact", "value": f"/{service.namespace}/{service.name}/v1/chat/completions"}
    route = _route(service, service.namespace, path, "/v1/chat/completions")
    name = route["metadata"]["name"]
    with impostor(service, service.namespace, name), _there(service, route, Client.chat, _by_another):
        yield


@fault(breaks_gateway=True)
def taken_from_another_namespace(service: LlmService) -> Iterator[None]:
    """The Gateway takes routes of every namespace, and one of another has the path of the service's completions."""
    kube, namespace = service.kube, f"{service.namespace}-elsewhere"
    labels = made_for(kube.get(NAMESPACE, service.namespace), "taken_from_another_namespace")
    path = {"type": "Exact", "value": f"/{service.namespace}/{service.name}/v1/completions"}
    route = _route(service, namespace, path, "/v1/completions")
    taken = (service, route, Client.complete, _by_another)
    try:
        kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
        with _open_to_all(service), impostor(service, namespace, route["metadata"]["name"]), _there(*taken):
            yield
    finally:
        kube.delete(NAMESPACE, namespace)
        chosen = Selection(NAMESPACE, "", namespace)
        converge(kube, f"namespace {namespace} to be gone", chosen, gone, budget=seconds("fault-recovery"))


@fault(breaks_gateway=True)
def taken_for_a_host(service: LlmService) -> Iterator[None]:
    """A route for a host name takes all that is asked by it: a host goes before any path of a route that has none."""
    route = _route(service, service.namespace, {"type": "PathPrefix", "value": "/"}, "/no/such/path")
    route["spec"]["hostnames"] = ["*.example"]
    route["spec"]["rules"][0]["backendRefs"][0]["name"] = service.children["workload service"][1]

    def ask(client: Client) -> Reply:
        return client.get("/v1/models", {"Host": "service.example"})

    with _there(service, route, ask, lambda reply: reply.status == 404):
        yield


@fault(breaks_gateway=True)
def second_service(service: LlmService) -> Iterator[None]:
    """Another service, for another model, is on the same Gateway: its rules have the names that the service's have."""
    with _twin(service, {"name": f"{service.connection.model}-other"}):
        yield


@fault(breaks_gateway=True)
def model_name_taken(service: LlmService) -> Iterator[None]:
    """Another service in the namespace has a model of the same name, and the older route: the header leads to it."""
    kube, namespace = service.kube, service.namespace
    kind, name = service.children["route"]
    with _twin(service, {}):
        before = service.child("route")["metadata"]["uid"]
        kube.delete(kind, name, namespace)

        def again(route: Object) -> bool:
            return route["metadata"]["uid"] != before and looked_at(route, route["metadata"]["generation"])

        wait_until(service, kind, name, "KServe's new route", again)
        yield


@contextmanager
def _twin(service: LlmService, model: Object) -> Iterator[None]:
    """A further LLMInferenceService beside the service, without servers, with a picker of its own, on its Gateway."""
    kube, namespace, name = service.kube, service.namespace, f"{service.name}-twin"
    document = recreatable(service.read())
    labels = made_for(kube.get(NAMESPACE, namespace), "twin")
    document["metadata"] = {"name": name, "namespace": namespace, "labels": labels}
    document["spec"]["replicas"] = 0
    document["spec"]["model"] |= model
    rule = destination_rule(name, namespace)
    rule["metadata"]["labels"] = labels
    picker = f"{name}-kserve-router-scheduler"
    try:
        kube.apply(rule)
        kube.apply(document)
        chosen = Selection(LLM_SERVICE, namespace, name)
        with as_a_service(service, name):
            converge(kube, f"{name} to be Ready", chosen, _lacking, budget=seconds("fault-recovery"))
            yield
    finally:
        kube.delete(LLM_SERVICE, name, namespace)
        for kind, child in ((LLM_SERVICE, name), (HTTP_ROUTE, f"{name}-kserve-route"), (DEPLOYMENT, picker)):
            chosen = Selection(kind, namespace, child)
            converge(kube, f"{child} to be gone", chosen, gone, budget=seconds("fault-recovery"))
        kube.delete(DESTINATION_RULE, rule["metadata"]["name"], namespace)
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


def _lacking(found: list[Object]) -> str:
    return "; ".join(not_ready(found[0])) if found else "it is not there"


@contextmanager
def _open_to_all(service: LlmService) -> Iterator[None]:
    """The Gateway with listeners that take routes of every namespace."""
    kube, place = service.kube, service.gateway
    before = service.read_gateway()["spec"]["listeners"]
    opened = [each | {"allowedRoutes": {"namespaces": {"from": "All"}}} for each in copy.deepcopy(before)]
    try:
        kube.patch(GATEWAY, place.name, place.namespace, {"spec": {"listeners": opened}})
        yield
    finally:
        kube.patch(GATEWAY, place.name, place.namespace, {"spec": {"listeners": before}})
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@contextmanager
def _there(service: LlmService, route: Object, ask: Ask, shows: Shows) -> Iterator[None]:
    """A route, once what is asked is answered through it, and afterwards is not any more."""
    kube, name, namespace = service.kube, route["metadata"]["name"], route["metadata"]["namespace"]
    try:
        kube.apply(route)
        wait_for_answer(service, f"{name} takes the request", ask, shows)
        yield
    finally:
        kube.delete(HTTP_ROUTE, name, namespace)
        wait_for_answer(service, f"{name} takes nothing any more", ask, lambda reply: not shows(reply))


def _route(service: LlmService, namespace: str, path: Object, becomes: str) -> Object:
    """A route of somebody else on the service's Gateway, to an impostor of the same name."""
    name = f"{service.name}-foreign"
    labels = made_for(service.kube.get(NAMESPACE, service.namespace), "foreign")
    rewrite = {"path": {"type": "ReplaceFullPath", "replaceFullPath": becomes}}
    rule = {
        "matches": [{"path": path}],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        "backendRefs": [{"name": name, "port": PORT, "weight": 1}],
    }
    gateway = {"name": service.gateway.name, "namespace": service.gateway.namespace}
    return {
        "apiVersion": HTTP_ROUTE.api,
        "kind": HTTP_ROUTE.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"parentRefs": [gateway], "rules": [rule]},
    }


def _by_another(reply: Reply) -> bool:
    """A good answer that the picker has not been asked about."""
    return reply.status == 200 and not through_picker(reply)
