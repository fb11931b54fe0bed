"""The HTTPRoute is accepted by the right Gateway and leads where it should."""

import pytest

from tools.explain import bullets, check
from tools.faults import routing
from tools.kube.client import Object
from tools.kube.conditions import lacking_at_parent
from tools.kube.kinds import HTTP_ROUTE
from tools.kube.llm_service import LlmService, source

_API = ("/v1/completions", "/v1/chat/completions")


@pytest.mark.conformance(
    name="route-is-accepted",
    level="core",
    fault=routing.route_deleted.shows("there is no such HTTPRoute"),
    checks=["route"],
)
def test_is_accepted_by_the_services_gateway(service: LlmService) -> None:
    """The route's only parent is the service's Gateway, which has accepted it and resolved its backends."""
    found = service.child("route")
    own = service.namespace
    parents = [f"{each.get('namespace', own)}/{each['name']}" for each in found["spec"].get("parentRefs", [])]
    gateway = str(service.gateway)
    wrong = [] if parents == [gateway] else [f"parentRefs are {parents}"]
    wrong += lacking_at_parent(found, gateway, ["Accepted", "ResolvedRefs"])
    check(
        not wrong,
        f"Gateway {gateway} as the only parent, with Accepted and ResolvedRefs",
        f"in {source(found)}: {bullets(wrong)}",
        cause="istiod without ENABLE_GATEWAY_API_INFERENCE_EXTENSION, or a pool of the other API group",
        next_step=service.kubectl("describe", HTTP_ROUTE.resource, found["metadata"]["name"]),
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
        led = [[(each.get("kind", "Service"), each["name"]) for each in rule["backendRefs"]] for rule in rules]
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
    fault=routing.route_past_the_pool.shows("groups []"),
    checks=["route"],
)
def test_pool_backend_is_of_the_pools_group(service: LlmService) -> None:
    """The route names the pool in the API group in which the pool exists: two CRDs share the kind's name."""
    found, pool = service.child("route"), service.child("pool")
    group = pool["apiVersion"].rpartition("/")[0]
    named = {
        each.get("group", "")
        for rule in found["spec"]["rules"]
        for each in rule["backendRefs"]
        if each.get("kind") == "InferencePool"
    }
    check(
        named == {group},
        f"InferencePool backends of group {group}",
        f"groups {sorted(named)}, in {source(found)}",
        cause="KServe has not migrated the route to the v1 pool: annotation serving.kserve.io/inference-pool-migrated",
        next_step=service.kubectl("get", HTTP_ROUTE.resource, found["metadata"]["name"], "-o", "yaml"),
    )


def _matches(rule: Object, path: str) -> bool:
    return any(
        each.get("path", {}).get("value") == path and each["path"]["type"] == "PathPrefix" and not each.get("headers")
        for each in rule.get("matches", [])
    )
