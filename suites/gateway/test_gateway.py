"""The Gateway is there for real, and the service's URL leads to it."""

from urllib.parse import urlsplit

import pytest

from tools.explain import bullets, check
from tools.faults import routing
from tools.kube.conditions import conditions, lacking
from tools.kube.kinds import GATEWAY, LLM_SERVICE
from tools.kube.llm_service import LlmService, source


@pytest.mark.conformance(
    name="gateway-is-programmed",
    level="core",
    fault=routing.gateway_of_unknown_class.shows("STALE"),
    checks=["gateway"],
)
def test_is_programmed_with_an_address(service: LlmService) -> None:
    """The Gateway is Accepted and Programmed for its current generation, and has an address."""
    found = service.read_gateway()
    wrong = lacking(conditions(found), ["Accepted", "Programmed"])
    addresses = [each["value"] for each in found.get("status", {}).get("addresses", [])]
    wrong += [] if addresses else ["status.addresses is empty"]
    check(
        not wrong,
        "a Gateway that is Accepted and Programmed, with an address",
        f"in {source(found)}: {bullets(wrong)}",
        cause="istiod does not run, the GatewayClass is unknown to it, or the load balancer gave no address",
        next_step=service.kube.kubectl(
            "-n", service.gateway.namespace, "describe", GATEWAY.resource, service.gateway.name
        ),
    )


@pytest.mark.conformance(
    name="gateway-listeners-take-the-route",
    level="core",
    fault=[
        routing.route_deleted.shows("attachedRoutes is 0"),
        routing.every_path_routed.shows("attachedRoutes is 2"),
    ],
    checks=["gateway"],
)
def test_listeners_take_the_route(service: LlmService) -> None:
    """Every listener of the Gateway is programmed and has the route attached; on the service's own, no other route."""
    found = service.read_gateway()
    listeners = {each["name"]: each for each in found.get("status", {}).get("listeners", [])}
    for name in (each["name"] for each in found["spec"]["listeners"]):
        listener = listeners.get(name, {})
        wrong = lacking(conditions(found, listener.get("conditions", [])), ["Accepted", "Programmed", "ResolvedRefs"])
        attached = listener.get("attachedRoutes", 0)
        # On a Gateway that is shared, others attach theirs.
        most = 1 if service.owns_gateway else attached
        wrong += [] if 1 <= attached <= most else [f"attachedRoutes is {attached}"]
        check(
            not wrong,
            f"listener {name}: Accepted, Programmed, ResolvedRefs, and the service's route attached",
            f"in {source(found)}: {bullets(wrong)}",
            cause="allowedRoutes excludes the route's namespace, or another route is attached to this Gateway",
            next_step=service.kubectl("get", "httproutes.gateway.networking.k8s.io", "-o", "yaml"),
        )


@pytest.mark.conformance(
    name="gateway-url-is-its-address",
    level="core",
    fault=routing.status_of_another_gateway.shows("http://192.0.2.1/elsewhere"),
    checks=["gateway"],
)
def test_url_is_at_the_gateway(service: LlmService) -> None:
    """status.url is the Gateway's address and the service's path, so that nobody has to put it together by hand."""
    found, gateway = service.read(), service.read_gateway()
    url = urlsplit(found.get("status", {}).get("url", ""))
    addresses = [each["value"] for each in gateway.get("status", {}).get("addresses", [])]
    check(
        url.hostname in addresses and url.path == f"/{service.namespace}/{service.name}",
        f"status.url at one of {addresses or 'no addresses'} with path /{service.namespace}/{service.name}",
        f"{url.geturl() or 'no url'}, in {source(found)}",
        cause="KServe took another Gateway's address, or the address changed and the controller did not see it",
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "jsonpath={.status.addresses}"),
    )
