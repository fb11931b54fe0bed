"""What the controller makes belongs to the service, so that it goes when the service goes."""

import pytest

from tools.explain import check
from tools.faults import routing
from tools.kube.kinds import HTTP_ROUTE
from tools.kube.llm_service import LlmService


@pytest.mark.conformance(
    name="reconcile-children-are-owned",
    level="core",
    fault=routing.route_deleted.shows("there is no such HTTPRoute"),
    checks=["route", "pool"],
)
def test_children_belong_to_service(service: LlmService) -> None:
    """Deployments, Services, route and pool exist, and the service (this one, by uid) is the controller of each."""
    owner = service.read()["metadata"]
    for part, (kind, name) in service.children.items():
        references = service.child(part)["metadata"].get("ownerReferences", [])
        owners = [(each["kind"], each["name"], each["uid"], each.get("controller", False)) for each in references]
        check(
            owners == [("LLMInferenceService", service.name, owner["uid"], True)],
            f"{kind.kind} {name} ({part}) to have one owner, its controller: this service, uid {owner['uid']}",
            f"its owners are {owners or 'none'}",
            cause="it was there before the service, or somebody else made it",
            next_step=service.kubectl("get", kind.resource, name, "-o", "yaml"),
        )


@pytest.mark.conformance(
    name="reconcile-status-names-the-route",
    level="core",
    fault=routing.status_of_another_gateway.shows("another-gateway"),
    checks=["route"],
)
def test_status_names_the_route(service: LlmService) -> None:
    """status.router says through which Gateway and by which HTTPRoute the service is reached."""
    gateways = service.read().get("status", {}).get("router", {}).get("gateways", [])
    _, route = service.children["route"]
    told = [(each["namespace"], each["name"], [on["name"] for on in each.get("httpRoutes", [])]) for each in gateways]
    check(
        told == [(service.gateway.namespace, service.gateway.name, [route])],
        f"Gateway {service.gateway} with HTTPRoute {route}, and nothing else",
        f"status.router.gateways has {told or 'nothing'}",
        cause="the route is attached to another Gateway than spec.router.gateway.refs names",
        next_step=service.kubectl("get", HTTP_ROUTE.resource, route, "-o", "yaml"),
    )
