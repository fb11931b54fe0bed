"""The HTTPRoute is the one that KServe makes for the service, taken by the right Gateway, and leads where it should."""

import pytest

from tools.cases.capabilities import READS_ROUTES
from tools.explain import bullets, check
from tools.faults import foreign, route_status, routes, routing
from tools.kube.client import Object
from tools.kube.conditions import conditions, lacking_at_parent
from tools.kube.errors import KubeError
from tools.kube.kinds import HTTP_ROUTE, LLM_SERVICE, OLD_POOL, POOL
from tools.kube.llm_service import LlmService, Place, source
from tools.profile import Profile
from tools.route import foreign as others
from tools.route import parents
from tools.route.expected import OLD_POOL_GROUP, POOL_GROUP
from tools.route.reading import installed, routed, wrong_rules
from tools.route.twins import namesakes

_API = ("/v1/completions", "/v1/chat/completions")
_MIGRATED = "serving.kserve.io/inference-pool-migrated"
_POOLS = {POOL_GROUP: POOL, OLD_POOL_GROUP: OLD_POOL}


@pytest.mark.conformance(
    name="route-is-accepted",
    level="core",
    fault=[
        routing.route_deleted.shows("there is no such HTTPRoute"),
        routes.parent_is_another_gateway.shows("parentRefs has no Gateway", "which nobody asked for"),
        routes.parent_is_no_listener.shows("listener no-such-listener, which nobody asked for"),
        routes.pool_does_not_exist.shows("ResolvedRefs=False", "no-such-pool"),
        route_status.status_of_a_policy_controller.shows(
            "has no entry of istio.io/gateway-controller", "policy.example"
        ),
        route_status.status_is_stale.shows("STALE"),
    ],
    checks=["route"],
)
def test_is_accepted_by_the_services_gateway(service: LlmService, profile: Profile) -> None:
    """The route's only parent is the service's Gateway, whose controller has taken it as it is now, backends too."""
    found = service.child("route")
    wanted = parents.wanted_parents(service.read(), service.gateway)
    wrong = parents.wrong_parents(found, wanted, profile.gateway.controller)
    check(
        not wrong,
        f"{', '.join(map(parents.reference_name, wanted))} as the only parent, with Accepted and ResolvedRefs",
        f"in {source(found)}: {bullets(wrong)}",
        cause=_why_not_taken(wrong),
        next_step=service.kubectl("describe", HTTP_ROUTE.resource, found["metadata"]["name"]),
    )


@pytest.mark.conformance(
    name="route-has-its-versions-rules",
    level="core",
    fault=[
        routes.emptied.shows("there is no rule v1-completions-path", "no backendRefs"),
        routes.rewrites_removed.shows("filters none", "a path that it does not know"),
        routes.rewrites_elsewhere.shows('"replacePrefixMatch": "/api"'),
        routes.filter_added.shows("ResponseHeaderModifier"),
        routes.times_out.shows('"request": "1s"', "answers that take longer are cut"),
        routes.split_with_the_service.shows('"weight": 9', "past the picker"),
        routes.port_changed.shows('"port": 8001'),
        routes.hostnames_added.shows("hostnames are ['elsewhere.example']"),
        routes.header_rules_removed.shows("there is no rule v1-completions-model-routing"),
        routes.responses_removed.shows("there is no rule v1-responses-path"),
        routes.rule_added.shows("is not KServe's"),
        routes.everything_picked.shows("rule v1-catch-all-path", "InferencePool"),
    ],
    checks=["route"],
)
def test_has_the_rules_of_its_version(service: LlmService) -> None:
    """The route has the rules that its version of KServe gives it, no more and no less, and no host names.

    Names, matches, rewrites, timeouts and backends are compared; where the service states rules itself, with those.
    """
    found, there = service.child("route"), installed(service)
    wrong = wrong_rules(found, service.read(), service, there)
    lines = [each.line for each in wrong]
    meets = [each.meets for each in wrong]
    if hosts := found["spec"].get("hostnames"):
        lines.append(f"hostnames are {hosts}")
        meets.append("requests for any other host, such as the Gateway's address, are 404")
    check(
        not wrong and not hosts,
        f"the rules of KServe {there.version or '(its version is not told)'}, without hostnames",
        f"in {source(found)}, written by {', '.join(_writers(found)) or 'nobody'}: {bullets(lines)}",
        cause=bullets(list(dict.fromkeys(meets))),
        next_step=service.kubectl("get", HTTP_ROUTE.resource, found["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="route-leads-to-pool-and-service",
    level="core",
    fault=routing.route_past_the_pool.shows("('Service', 'vllm-gemma-kserve-workload-svc')"),
    checks=["route"],
)
def test_leads_to_pool_and_service(service: LlmService) -> None:
    """Completions and chat go to the pool, so that the picker chooses; other paths go to the workload Service."""
    found = service.child("route")
    _, pool = service.children["pool"]
    _, workload = service.children["workload service"]
    prefix = f"/{service.namespace}/{service.name}"
    wanted = {f"{prefix}{path}": ("InferencePool", pool) for path in _API} | {prefix: ("Service", workload)}
    for path, backend in wanted.items():
        rules = [rule for rule in found["spec"]["rules"] if _matches(rule, path)]
        led = [
            [(each.get("kind", "Service"), each["name"]) for each in rule.get("backendRefs") or []] for rule in rules
        ]
        check(
            led == [[backend]],
            f"one rule for PathPrefix {path}, to {backend[0]} {backend[1]} alone",
            f"{led or 'no rule'}, in {source(found)}",
            cause="KServe before 0.17 sends every path to the pool; or spec.router.route.http.spec replaces the rules",
            next_step=service.kubectl("get", HTTP_ROUTE.resource, found["metadata"]["name"], "-o", "yaml"),
        )


@pytest.mark.conformance(
    name="route-names-the-pools-group",
    level="core",
    fault=[
        routing.route_past_the_pool.shows("groups none"),
        routes.pool_of_the_other_group.shows(OLD_POOL_GROUP, "two CRDs share the kind"),
        routes.pool_does_not_exist.shows("there is no InferencePool no-such-pool of group"),
    ],
    checks=["route"],
)
def test_pool_backend_is_of_the_pools_group(service: LlmService) -> None:
    """Every pool that the route names exists in the very API group that it names, and its Gateway has taken that one.

    Two CRDs share the kind's name, so that `kubectl get inferencepools` shows one while the route means the other.
    """
    found = service.child("route")
    named = {
        (each.get("group", ""), each["name"])
        for rule in found["spec"]["rules"]
        for each in rule.get("backendRefs") or []
        if each.get("kind") == "InferencePool"
    }
    wrong = [line for group, name in sorted(named) for line in _trouble_of_pool(service, group, name)]
    groups = ", ".join(sorted({group for group, _ in named})) or "none"
    check(
        not wrong and bool(named),
        f"InferencePools that exist in the group that the route names, taken by Gateway {service.gateway}",
        f"groups {groups}, in {source(found)}: {bullets(wrong) if wrong else 'it names no pool'}",
        cause="two CRDs share the kind InferencePool: route, pool and gateway have to mean the same one. KServe goes"
        f" over to the v1 group once, and says so by the annotation {_MIGRATED}",
        next_step=service.kubectl("get", f"{POOL.resource},{OLD_POOL.resource}", "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="route-migration-is-whole",
    level="core",
    fault=[
        routes.pool_of_the_other_group.shows(f"{_MIGRATED} is v1", OLD_POOL_GROUP),
        routes.migration_forgotten.shows(f"{_MIGRATED} is not there", POOL_GROUP),
    ],
    checks=["route"],
)
def test_migration_is_whole(service: LlmService) -> None:
    """The route says that it has gone over to v1 pools exactly if all its pools are of that group."""
    found = service.child("route")
    said = found["metadata"].get("annotations", {}).get(_MIGRATED)
    groups = {
        each.get("group", "")
        for rule in found["spec"]["rules"]
        for each in rule.get("backendRefs") or []
        if each.get("kind") == "InferencePool"
    }
    wanted = {POOL_GROUP} if said == "v1" else {OLD_POOL_GROUP}
    # A user's own route, or one without a scheduler, has no pool, and nothing to go over with.
    check(
        groups in (wanted, set()),
        f"pools of group {', '.join(wanted)} alone, with the annotation as it is",
        f"{_MIGRATED} is {said or 'not there'}, groups are {', '.join(sorted(groups))}, in {source(found)}",
        cause="the annotation locks KServe's route to v1 pools for ever, whatever this Gateway can do: after a change"
        " of Istio's version, or a route that was restored from a backup, the two disagree",
        next_step=service.kubectl("get", HTTP_ROUTE.resource, found["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="route-readiness-is-the-gateways-word",
    level="core",
    fault=[
        route_status.readiness_denied.shows("HTTPRoutesReady=False", "has taken the route"),
        routes.pool_does_not_exist.shows("HTTPRoutesReady=True", "ResolvedRefs=False"),
    ],
    checks=["route"],
)
def test_readiness_is_the_gateways_word(service: LlmService, profile: Profile) -> None:
    """The service's HTTPRoutesReady says what the Gateway's controller says of the route, and nobody else's word."""
    found, route = service.read(), service.child("route")
    wanted = parents.wanted_parents(found, service.gateway)
    wrong = parents.wrong_parents(route, wanted, profile.gateway.controller)
    said = conditions(found).get("HTTPRoutesReady")
    told = f"{profile.gateway.controller} has taken the route" if not wrong else bullets(wrong)
    check(
        said is not None and (said.status == "True") == (not wrong),
        "HTTPRoutesReady to be True exactly if the Gateway has taken the route",
        f"{said or 'there is no condition HTTPRoutesReady'}, in {source(found)}; in {source(route)}: {told}",
        cause="KServe looked at an entry of another controller in status.parents, or has not looked since the route"
        " changed",
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="route-has-its-paths-alone",
    level="core",
    requires=[READS_ROUTES],
    fault=[
        foreign.exact_path_taken.shows("-foreign takes Exact", "/v1/chat"),
        foreign.taken_from_another_namespace.shows("-elsewhere/", "takes Exact"),
        foreign.taken_for_a_host.shows("for hosts *.example"),
        foreign.model_name_taken.shows("X-Gateway-Model-Name"),
    ],
    checks=["route"],
)
def test_has_its_paths_alone(service: LlmService) -> None:
    """No other route on the Gateway, in whatever namespace, takes requests for the service's paths or its model."""
    found, there = service.child("route"), installed(service)
    own = Place(service.namespace, found["metadata"]["name"])
    mine = routed(service.read(), service, there.header)
    taken = others.takers(service.kube.objects(HTTP_ROUTE), own, service.gateway, mine)
    check(
        not taken,
        f"{source(found)} to be the only route for {mine.prefix} on Gateway {service.gateway}",
        bullets(taken),
        cause="requests are answered by somebody else's servers: a host name, a longer path or an older route goes"
        " first. A listener's allowedRoutes decides who may attach routes",
        next_step=service.kube.kubectl("get", HTTP_ROUTE.resource, "--all-namespaces"),
    )


@pytest.mark.conformance(
    name="route-model-name-is-its-own",
    level="core",
    fault=foreign.model_name_taken.shows("-twin", "is also the model of"),
    checks=["route"],
)
def test_model_name_is_its_own(service: LlmService) -> None:
    """No other service in the namespace serves a model of this name: the header could not tell them apart."""
    found = service.read()
    same = namesakes(service.kube.objects(LLM_SERVICE, service.namespace), found)
    name = routed(found, service, "").model
    check(
        not same,
        f"one service in {service.namespace} for model {name}",
        f"{name} is also the model of {', '.join(same)}",
        cause=f"both routes ask for publishers/{service.namespace}/models/{name} in the header: the older one gets"
        " all such requests. KServe 0.19 says nothing, 0.20 an event ModelNameCollision",
        next_step=service.kubectl(
            "get", LLM_SERVICE.resource, "-o", "custom-columns=N:.metadata.name,M:.spec.model.name"
        ),
    )


def _trouble_of_pool(service: LlmService, group: str, name: str) -> list[str]:
    kind = _POOLS.get(group)
    if kind is None:
        return [f"InferencePool {name} is of group {group or 'none'}, which has no such kind"]
    try:
        found = service.kube.find(kind, name, service.namespace)
    except KubeError as error:
        return [f"InferencePool {name} of group {group} is not shown to this user, or its kind is not served: {error}"]
    if found is None:
        return [f"there is no InferencePool {name} of group {group}"]
    lines = lacking_at_parent(found, str(service.gateway), ["Accepted", "ResolvedRefs"])
    return [f"InferencePool {name} of group {group}: {line}" for line in lines]


def _why_not_taken(wrong: list[str]) -> str:
    text = " ".join(wrong)
    if "InvalidKind" in text:
        return "istiod without ENABLE_GATEWAY_API_INFERENCE_EXTENSION, or a pool of an API group that it does not know"
    if "BackendNotFound" in text or "InvalidDestination" in text:
        return "a backend of the route does not exist: requests that it should get are 500"
    if "nobody asked for" in text:
        return "somebody changed the route, which KServe puts back within seconds while it runs"
    if "has no entry" in text or "STALE" in text:
        return "istiod does not run, or may not write status: the gateway goes by what it knew before"
    return "the Gateway refuses the route: allowedRoutes of its listeners, a listener that is not there, or its class"


def _writers(found: Object) -> list[str]:
    """Who has written a part of the specification, as the API server remembers."""
    return sorted(
        {
            each.get("manager", "")
            for each in found["metadata"].get("managedFields", [])
            if "f:spec" in each.get("fieldsV1", {})
        }
    )


def _matches(rule: Object, path: str) -> bool:
    return any(
        each.get("path", {}).get("value") == path and each["path"]["type"] == "PathPrefix" and not each.get("headers")
        for each in rule.get("matches", [])
    )
