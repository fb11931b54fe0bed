"""Faults of the route's specification: each is a way in which a route can be other than KServe makes it."""

from collections.abc import Iterator

from tools.faults.common import gateway_root
from tools.faults.fault import fault
from tools.faults.route_change import each_rule, is_pools, paths, route_changed
from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.marks import through_picker
from tools.openai.reply import Reply, Request
from tools.route.expected import MODEL_HEADER, OLD_POOL_GROUP, Rule
from tools.route.reading import installed, routed

_MIGRATED = "serving.kserve.io/inference-pool-migrated"
_ELSEWHERE = "elsewhere.example"


@fault()
def emptied(service: LlmService) -> Iterator[None]:
    """The preset was not merged into the route: it matches everything, and leads nowhere."""

    def change(route: Object) -> None:
        route["spec"]["rules"] = [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]

    with route_changed(service, change, shows=lambda reply: reply.status in (404, 500)):
        yield


@fault()
def rewrites_removed(service: LlmService) -> Iterator[None]:
    """No rule takes the prefix off the path, so that servers are asked for paths that they do not have."""

    def change(rule: Rule) -> None:
        rule.pop("filters", None)

    with route_changed(service, each_rule(change), shows=_unknown_to_the_server):
        yield


@fault()
def rewrites_elsewhere(service: LlmService) -> Iterator[None]:
    """Every rule puts another prefix in the place of the service's than the API has."""

    def change(rule: Rule) -> None:
        for each in rule.get("filters") or []:
            each["urlRewrite"]["path"]["replacePrefixMatch"] = "/api"

    with route_changed(service, each_rule(change), shows=_unknown_to_the_server):
        yield


@fault()
def filter_added(service: LlmService) -> Iterator[None]:
    """A rule has a filter more, which changes the answers' headers."""
    more = {
        "type": "ResponseHeaderModifier",
        "responseHeaderModifier": {"set": [{"name": "x-somebody-elses", "value": "yes"}]},
    }

    def change(route: Object) -> None:
        rule = next(each for each in route["spec"]["rules"] if each.get("filters"))
        rule["filters"].append(more)

    with route_changed(service, change, shows=lambda reply: "x-somebody-elses" in reply.headers):
        yield


@fault()
def times_out(service: LlmService) -> Iterator[None]:
    """Every rule ends requests after a second, whole or not."""

    def change(rule: Rule) -> None:
        rule["timeouts"] = {"request": "1s", "backendRequest": "1s"}

    with route_changed(service, each_rule(change), ask=_long, shows=lambda reply: bool(reply.problem)):
        yield


@fault()
def split_with_the_service(service: LlmService) -> Iterator[None]:
    """Nine of ten requests that the picker should have go to the Service, as after a canary that nobody ended."""
    backend = {"kind": "Service", "name": service.children["workload service"][1], "port": 8000, "weight": 9}

    def change(rule: Rule) -> None:
        if is_pools(rule):
            rule["backendRefs"] = [*rule["backendRefs"], backend]

    with route_changed(service, each_rule(change)):
        yield


@fault()
def port_changed(service: LlmService) -> Iterator[None]:
    """Backends are named with another port; for a pool the gateway does not look at it."""

    def change(rule: Rule) -> None:
        if is_pools(rule):
            rule["backendRefs"][0]["port"] = 8001

    with route_changed(service, each_rule(change)):
        yield


@fault()
def hostnames_added(service: LlmService) -> Iterator[None]:
    """The route is for one host name alone, by which nobody asks. KServe does not take it back."""

    def change(route: Object) -> None:
        route["spec"]["hostnames"] = [_ELSEWHERE]

    with route_changed(service, change, shows=lambda reply: reply.status == 404):
        yield


@fault()
def header_rules_removed(service: LlmService) -> Iterator[None]:
    """The rules are gone that go by the header which names the model."""

    def change(route: Object) -> None:
        rules = route["spec"]["rules"]
        route["spec"]["rules"] = [each for each in rules if not any(m.get("headers") for m in each["matches"])]

    there = installed(service)
    named = {there.header or MODEL_HEADER: routed(service.read(), service, there.header).publisher}

    def ask(client: Client) -> Reply:
        return client.send(Request("GET", f"{gateway_root(client)}/v1/models", named))

    with route_changed(service, change, ask=ask, shows=lambda reply: reply.status == 404):
        yield


@fault()
def responses_removed(service: LlmService) -> Iterator[None]:
    """The rules for /v1/responses are gone: the catch-all takes such requests, past the picker."""

    def change(route: Object) -> None:
        rules = route["spec"]["rules"]
        route["spec"]["rules"] = [each for each in rules if not any("/v1/responses" in path for path in paths(each))]

    def ask(client: Client) -> Reply:
        return client.post("/v1/responses", {"model": client.model, "input": "The gate opens"})

    with route_changed(service, change, ask=ask, shows=lambda reply: not through_picker(reply)):
        yield


@fault()
def catch_all_removed(service: LlmService) -> Iterator[None]:
    """The rules are gone that lead all other paths to the Service."""

    def change(route: Object) -> None:
        route["spec"]["rules"] = [each for each in route["spec"]["rules"] if is_pools(each)]

    with route_changed(service, change, ask=Client.models, shows=lambda reply: reply.status == 404):
        yield


@fault()
def rule_added(service: LlmService) -> Iterator[None]:
    """The route has a rule more, by which the servers' metrics are open to everybody. KServe does not take it back."""
    rule = {
        "name": "somebody-elses",
        "matches": [{"path": {"type": "PathPrefix", "value": "/metrics"}}],
        "backendRefs": [{"kind": "Service", "name": service.children["workload service"][1], "port": 8000}],
    }

    def change(route: Object) -> None:
        route["spec"]["rules"].append(rule)

    with route_changed(service, change):
        yield


@fault()
def everything_picked(service: LlmService) -> Iterator[None]:
    """The rules for all other paths lead to the pool as well, as in KServe 0.16."""
    backend = next(each["backendRefs"] for each in service.child("route")["spec"]["rules"] if is_pools(each))

    def change(rule: Rule) -> None:
        rule["backendRefs"] = backend

    with route_changed(service, each_rule(change), ask=Client.models, shows=through_picker):
        yield


@fault()
def pool_of_the_other_group(service: LlmService) -> Iterator[None]:
    """The route means a pool of the older API group, which this gateway does not know."""

    def change(rule: Rule) -> None:
        for each in rule["backendRefs"]:
            if each.get("kind") == "InferencePool":
                each["group"] = OLD_POOL_GROUP

    with route_changed(service, each_rule(change), shows=lambda reply: reply.status >= 404):
        yield


@fault()
def pool_does_not_exist(service: LlmService) -> Iterator[None]:
    """The route leads to a pool that is not there."""

    def change(rule: Rule) -> None:
        for each in rule["backendRefs"]:
            if each.get("kind") == "InferencePool":
                each["name"] = "no-such-pool"

    with route_changed(service, each_rule(change), shows=lambda reply: reply.status >= 404):
        yield


@fault()
def migration_forgotten(service: LlmService) -> Iterator[None]:
    """The route means v1 pools, and its annotation that it does so for good is gone, as after a restore."""

    def change(route: Object) -> None:
        route["metadata"]["annotations"].pop(_MIGRATED, None)

    with route_changed(service, change):
        yield


@fault()
def parent_is_another_gateway(service: LlmService) -> Iterator[None]:
    """The route asks to be attached to a Gateway that is not there, so that the service's own has no route."""

    def change(route: Object) -> None:
        for each in route["spec"]["parentRefs"]:
            each["name"] = "no-such-gateway"

    with route_changed(service, change, shows=lambda reply: reply.status == 404):
        yield


@fault()
def parent_is_no_listener(service: LlmService) -> Iterator[None]:
    """The route asks for a listener that its Gateway does not have."""

    def change(route: Object) -> None:
        for each in route["spec"]["parentRefs"]:
            each["sectionName"] = "no-such-listener"

    with route_changed(service, change, shows=lambda reply: reply.status == 404):
        yield


def _long(client: Client) -> Reply:
    """A stream of seconds."""
    return client.chat("Tell a long story.", max_tokens=400, stream=True, ignore_eos=True)


def _unknown_to_the_server(reply: Reply) -> bool:
    return reply.status == 404 and "Not Found" in reply.body
