"""The Gateway is there for real, and the service's URL leads to it."""

from urllib.parse import urlsplit

import pytest

from tools.cases.capabilities import CONTROLLERS
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import gateway as faults
from tools.faults import routing
from tools.kube import gateways
from tools.kube.conditions import conditions, lacking
from tools.kube.kinds import GATEWAY, GATEWAY_CLASS, LLM_SERVICE
from tools.kube.llm_service import LlmService, source
from tools.profile import Profile
from tools.profile.gateway import Plaintext, RoutesFrom

_DEFAULT_PORTS = {"http": 80, "https": 443}


@pytest.mark.conformance(
    name="gateway-is-programmed",
    level="core",
    fault=[
        routing.gateway_of_unknown_class.shows("STALE"),
        faults.address_ignored.shows("it asks for 192.0.2.1"),
    ],
    checks=["gateway"],
)
def test_is_programmed_with_an_address(service: LlmService, profile: Profile) -> None:
    """The Gateway is Accepted and Programmed for its current generation, with an address of the promised type."""
    found = service.read_gateway()
    wrong = lacking(conditions(found), ["Accepted", "Programmed"])
    wanted, addresses = profile.gateway.address_type, gateways.addresses(found)
    wrong += [] if addresses else ["status.addresses is empty"]
    asked = [each["value"] for each in found["spec"].get("addresses", []) if each.get("value")]
    values = [value for _, value in addresses]
    wrong += [f"it asks for {each} and has {', '.join(values) or 'none'}" for each in asked if each not in values]
    wrong += [
        f"address {value} is of type {kind}, not {wanted}" for kind, value in addresses if wanted not in ("", kind)
    ]
    check(
        not wrong,
        f"a Gateway that is Accepted and Programmed, with an address{f' of type {wanted}' if wanted else ''}",
        f"in {source(found)}: {bullets(wrong)}",
        cause="istiod does not run, the GatewayClass is unknown to it, or the load balancer gave no such address"
        " (quota, subnet)",
        next_step=_describe(service),
    )


@pytest.mark.conformance(
    name="gateway-class-is-the-promised",
    level="core",
    requires=[CONTROLLERS],
    fault=routing.gateway_of_unknown_class.shows("gatewayClassName is no-such-class", "no GatewayClass no-such-class"),
    checks=["gateway"],
)
def test_class_is_the_promised(service: LlmService, profile: Profile) -> None:
    """The Gateway is of the promised class, and that class is accepted by the promised controller."""
    wanted, found = profile.gateway, service.read_gateway()
    name = found["spec"]["gatewayClassName"]
    wrong = [] if name == wanted.class_name else [f"gatewayClassName is {name}, in {source(found)}"]
    classes = {each["metadata"]["name"]: each for each in service.kube.objects(GATEWAY_CLASS)}
    if name not in classes:
        wrong.append(f"there is no GatewayClass {name}; there are {', '.join(sorted(classes)) or 'none'}")
    else:
        controller = classes[name]["spec"]["controllerName"]
        wrong += [] if controller == wanted.controller else [f"GatewayClass {name} has the controller {controller}"]
        wrong += lacking(conditions(classes[name]), ["Accepted"], f"GatewayClass {name}")
    check(
        not wrong,
        f"a Gateway of class {wanted.class_name}, which {wanted.controller} has accepted",
        bullets(wrong),
        cause="the Gateway was for another implementation, or nobody serves its class: its proxies go on unattended",
        next_step=service.kube.kubectl("get", GATEWAY_CLASS.resource, "-o", "wide"),
    )


@pytest.mark.conformance(
    name="gateway-listeners-take-the-route",
    level="core",
    fault=[
        routing.route_deleted.shows("attachedRoutes is 0"),
        routing.every_path_routed.shows("attachedRoutes is 2"),
        faults.certificate_missing.shows("listener https", "InvalidCertificateRef"),
    ],
    checks=["gateway"],
)
def test_listeners_take_the_route(service: LlmService) -> None:
    """Every listener of the Gateway is programmed and has the route attached; on the service's own, no other route."""
    found = service.read_gateway()
    for listener in gateways.listeners(found):
        # On a Gateway that is shared, others attach theirs.
        most = 1 if service.owns_gateway else listener.attached
        wrong = list(listener.trouble)
        wrong += [] if 1 <= listener.attached <= most else [f"attachedRoutes is {listener.attached}"]
        check(
            not wrong,
            f"listener {listener.name}: Accepted, Programmed, ResolvedRefs, and the service's route attached",
            f"in {source(found)}: listener {listener}: {bullets(wrong)}",
            cause="its certificate is missing, allowedRoutes excludes the namespace, or another route is attached",
            next_step=_describe(service),
        )


@pytest.mark.conformance(
    name="gateway-listeners-are-the-promised",
    level="core",
    fault=[
        faults.listener_moved.shows("no listener for HTTP at 80", "http: HTTP at 8080"),
        faults.https_listener_dropped.shows("no listener for HTTPS", "http: HTTP at 80"),
        faults.https_listener_in_clear.shows("no listener for HTTPS", "https: HTTP at 443"),
    ],
    checks=["gateway", "tls", "no-plaintext"],
)
def test_listeners_are_the_promised(service: LlmService, profile: Profile) -> None:
    """The Gateway listens for the promised protocols, on the ports of the URL, and for no others."""
    wanted, found = profile.gateway, service.read_gateway()
    url = urlsplit(service.url)
    there = {(each.protocol, each.port) for each in gateways.listeners(found)}
    port = _DEFAULT_PORTS[wanted.scheme] if service.owns_gateway else url.port or _DEFAULT_PORTS[wanted.scheme]
    wrong = [] if (wanted.scheme.upper(), port) in there else [f"no listener for {wanted.scheme.upper()} at {port}"]
    protocols = {protocol for protocol, _ in there}
    if wanted.serves_tls and "HTTPS" not in protocols:
        wrong.append("no listener for HTTPS")
    if not wanted.serves_tls and "HTTPS" in protocols and service.owns_gateway:
        wrong.append("a listener for HTTPS, which is not promised")
    if wanted.plaintext is Plaintext.CLOSED and "HTTP" in protocols:
        wrong.append("a listener for HTTP, which is promised to be closed")
    if service.owns_gateway:
        extra = sorted(protocols - {"HTTP", "HTTPS"})
        wrong += [f"listeners for {', '.join(extra)}"] if extra else []
        # Requests by the address have no such name, and would be 404.
        named = [each["name"] for each in found["spec"]["listeners"] if each.get("hostname")]
        wrong += [f"listener {name} is for a hostname only" for name in named]
    passing = [each["name"] for each in found["spec"]["listeners"] if each.get("tls", {}).get("mode") == "Passthrough"]
    wrong += [f"listener {name} passes TLS through, and cannot route by path" for name in passing]
    check(
        not wrong,
        f"listeners for {wanted.scheme} at {port}{', for TLS' * wanted.serves_tls}; plain HTTP {wanted.plaintext}",
        f"in {source(found)}: {bullets(wrong)}; there are {'; '.join(str(each) for each in gateways.listeners(found))}",
        cause="somebody edited the Gateway, or a set-up script that was run again put an older form of it back",
        next_step=_describe(service),
    )


@pytest.mark.conformance(
    name="gateway-listeners-admit-as-promised",
    level="core",
    requires=[claimed("own-routes-only")],
    fault=faults.routes_from_everywhere.shows("routes from All", "http", "https"),
    checks=["own-routes-only"],
)
def test_listeners_admit_as_promised(service: LlmService, profile: Profile) -> None:
    """Every listener admits routes of the promised namespaces only."""
    found, promised = service.read_gateway(), profile.gateway.routes_from
    allowed = {"Same"} if promised is RoutesFrom.SAME else {"Same", "Selector"}
    admitting = {
        # What the API server puts in where nothing is said.
        each["name"]: each.get("allowedRoutes", {}).get("namespaces", {}).get("from", "Same")
        for each in found["spec"]["listeners"]
    }
    wrong = [f"listener {name} takes routes from {who}" for name, who in admitting.items() if who not in allowed]
    check(
        not wrong,
        f"listeners that take routes from {' or '.join(sorted(allowed))}, as the profile promises ({promised})",
        f"in {source(found)}: {bullets(wrong)}",
        cause="allowedRoutes was opened so that a route of another namespace attaches: now anybody's does",
        next_step=_describe(service),
    )


@pytest.mark.conformance(
    name="gateway-url-is-its-address",
    level="core",
    fault=routing.status_of_another_gateway.shows("http://192.0.2.1/elsewhere"),
    checks=["gateway"],
)
def test_url_is_at_the_gateway(service: LlmService, profile: Profile) -> None:
    """status.url is the Gateway's address and the service's path, by the promised scheme: nobody has to guess it."""
    found, gateway = service.read(), service.read_gateway()
    url = urlsplit(found.get("status", {}).get("url", ""))
    addresses = [value for _, value in gateways.addresses(gateway)]
    hosts = [*addresses, *([profile.gateway.host] if profile.gateway.host else [])]
    scheme = profile.gateway.scheme
    check(
        url.scheme == scheme and url.hostname in hosts and url.path == f"/{service.namespace}/{service.name}",
        f"status.url by {scheme} at one of {hosts or 'no addresses'} with path /{service.namespace}/{service.name}",
        f"{url.geturl() or 'no url'}, in {source(found)}",
        cause="KServe took another Gateway's address, the address changed and the controller did not see it, or its"
        " urlScheme (ConfigMap inferenceservice-config, ingress) is not the promised one",
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "jsonpath={.status.addresses}"),
    )


def _describe(service: LlmService) -> str:
    return service.kube.kubectl("-n", service.gateway.namespace, "describe", GATEWAY.resource, service.gateway.name)
