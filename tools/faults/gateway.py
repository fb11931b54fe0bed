"""Faults of the Gateway, of its proxies and of who may use it; on the service's own Gateway only."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.explain import Violation
from tools.faults.common import scaled, wait_for_answer, wait_until
from tools.faults.fault import fault
from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.conditions import stale
from tools.kube.kinds import AUTHORIZATION_POLICY, DEPLOYMENT, GATEWAY, NAMESPACE, SERVICE
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply
from tools.probe.verdict import Verdict
from tools.tls.front import front_of
from tools.tls.handshake import shake
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_IMAGE = "sidecar.istio.io/proxyImage"
_NO_IMAGE = "localhost/no-such-proxy:none"


@fault(breaks_gateway=True)
def address_ignored(service: LlmService) -> Iterator[None]:
    """The Gateway asks for an address that the load balancer does not have; istiod calls it programmed all the same."""
    with _gateway_changed(service, {"spec": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]}}):
        yield


@fault(breaks_gateway=True)
def listener_moved(service: LlmService) -> Iterator[None]:
    """The listener for plain HTTP is on another port, as after an edit: the URL moves with it, clients do not."""
    found = service.read_gateway()["spec"]["listeners"]
    moved = [each | {"port": 8080} if each["protocol"] == "HTTP" else each for each in found]
    with _gateway_changed(service, {"spec": {"listeners": moved}}):
        yield


@fault(breaks_gateway=True)
def https_listener_dropped(service: LlmService) -> Iterator[None]:
    """The listener for TLS is gone, as after a set-up script that was run again."""
    found = service.read_gateway()["spec"]["listeners"]
    with _gateway_changed(service, {"spec": {"listeners": [each for each in found if each["protocol"] != "HTTPS"]}}):
        _until_handshake_fails(service)
        yield


@fault(breaks_gateway=True)
def https_listener_in_clear(service: LlmService) -> Iterator[None]:
    """The listener at the port for TLS speaks plain HTTP."""
    found = service.read_gateway()["spec"]["listeners"]
    plain = [
        {key: value for key, value in each.items() if key != "tls"} | {"protocol": "HTTP"}
        if each["protocol"] == "HTTPS"
        else each
        for each in found
    ]
    with _gateway_changed(service, {"spec": {"listeners": plain}}):
        _until_handshake_fails(service)
        yield


@fault(breaks_gateway=True)
def certificate_missing(service: LlmService) -> Iterator[None]:
    """The listener for TLS refers to a Secret that does not exist."""
    found = service.read_gateway()["spec"]["listeners"]
    tls = {"mode": "Terminate", "certificateRefs": [{"name": "no-such-certificate"}]}
    lost = [each | {"tls": tls} if each["protocol"] == "HTTPS" else each for each in found]
    with _gateway_changed(service, {"spec": {"listeners": lost}}):
        yield


@fault(breaks_gateway=True)
def plaintext_closed(service: LlmService) -> Iterator[None]:
    """Nothing listens for plain HTTP any more."""
    found = service.read_gateway()["spec"]["listeners"]
    # status.url moves to https.
    client = service.connection.client(service.url, "llmisvc-conformance (fault)")

    def closed() -> None:
        if (reply := client.models()).verdict is Verdict.HTTP:
            raise Violation("the fault in effect: plain HTTP is closed", reply.summary)

    try:
        with _gateway_changed(service, {"spec": {"listeners": [each for each in found if each["protocol"] != "HTTP"]}}):
            eventually("plain HTTP to be closed", closed, budget=seconds("fault-effect"))
            yield
    finally:
        client.close()


@fault(breaks_gateway=True)
def routes_from_everywhere(service: LlmService) -> Iterator[None]:
    """The Gateway's listeners take routes of all namespaces."""
    found = service.read_gateway()["spec"]["listeners"]
    opened = [each | {"allowedRoutes": {"namespaces": {"from": "All"}}} for each in found]
    with _gateway_changed(service, {"spec": {"listeners": opened}}):
        yield


@fault(breaks_gateway=True)
def proxies_stopped(service: LlmService) -> Iterator[None]:
    """No proxy serves the Gateway, whose conditions go on being True."""
    found = gateways.deployments(service.kube, service.gateway)[0]
    with scaled(service.kube, service.gateway.namespace, found["metadata"]["name"], 0):
        yield
    _until_answered(service)


@fault(breaks_gateway=True)
def proxies_of_another_image(service: LlmService) -> Iterator[None]:
    """New proxies are of an image that cannot be pulled; the old one serves on beside them."""
    kube, place = service.kube, service.gateway
    name = gateways.deployments(kube, place)[0]["metadata"]["name"]
    usual = _image(kube.get(DEPLOYMENT, name, place.namespace))

    def stuck(found: Object) -> bool:
        return _image(found) == _NO_IMAGE and found["status"].get("unavailableReplicas", 0) > 0

    def rolled_out(found: Object) -> bool:
        status, replicas = found.get("status", {}), found["spec"].get("replicas", 1)
        fresh = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = {status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
        return fresh and counts == {replicas} and _image(found) == usual

    try:
        kube.patch(GATEWAY, place.name, place.namespace, {"metadata": {"annotations": {_IMAGE: _NO_IMAGE}}})
        wait_until(service, DEPLOYMENT, name, "proxies of the other image", stuck)
        yield
    finally:
        kube.patch(GATEWAY, place.name, place.namespace, {"metadata": {"annotations": {_IMAGE: None}}})
        wait_until(service, DEPLOYMENT, name, "proxies as before", rolled_out)


@fault(breaks_gateway=True)
def load_balancer_closed(service: LlmService) -> Iterator[None]:
    """The load balancer passes nobody on but clients of a network that nobody is in."""
    kube, place = service.kube, service.gateway
    labels = f"{gateways.NAME}={place.name}"
    found = kube.objects(SERVICE, place.namespace, labels=labels)[0]
    name, before = found["metadata"]["name"], found["spec"].get("loadBalancerSourceRanges")
    try:
        kube.patch(SERVICE, name, place.namespace, {"spec": {"loadBalancerSourceRanges": ["192.0.2.0/24"]}})
        wait_for_answer(
            service, "nothing comes back", Client.models, lambda it: it.verdict is Verdict.DROPPED, in_a_row=1
        )
        yield
    finally:
        kube.patch(SERVICE, name, place.namespace, {"spec": {"loadBalancerSourceRanges": before}})
        _until_answered(service)


@fault(breaks_gateway=True)
def access_denied(service: LlmService) -> Iterator[None]:
    """An AuthorizationPolicy at the Gateway denies every request."""
    kube, place = service.kube, service.gateway
    name = f"{service.name}-denied"
    policy = {
        "apiVersion": AUTHORIZATION_POLICY.api,
        "kind": AUTHORIZATION_POLICY.kind,
        "metadata": {
            "name": name,
            "namespace": place.namespace,
            "labels": made_for(kube.get(NAMESPACE, service.namespace), "access_denied"),
        },
        "spec": {
            "action": "DENY",
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": place.name}],
            "rules": [{}],
        },
    }
    try:
        kube.apply(policy)
        wait_for_answer(service, "requests are 403", Client.models, lambda reply: reply.status == 403)
        yield
    finally:
        kube.delete(AUTHORIZATION_POLICY, name, place.namespace)
        _until_answered(service)


@contextmanager
def _gateway_changed(service: LlmService, patch: Object) -> Iterator[None]:
    """A Gateway with another specification; ends when it has its own again and the service answers at its URL."""
    kube, place, url = service.kube, service.gateway, service.url
    before = service.read_gateway()["spec"]
    # A merge patch takes away only what it names.
    back = {"spec": {**dict.fromkeys(patch["spec"]), **before}}
    try:
        kube.patch(GATEWAY, place.name, place.namespace, patch)
        _until_seen(service)
        yield
    finally:
        kube.patch(GATEWAY, place.name, place.namespace, back)
        _until_seen(service)
        _until_answered(service, url)


def _until_seen(service: LlmService) -> None:
    place, what = service.gateway, "istiod to have seen the Gateway as it is"
    wait_until(service, GATEWAY, place.name, what, lambda found: not stale(found))


def _until_answered(service: LlmService, url: str = "") -> None:
    """Until models are listed again, at the URL that the service had before."""

    def same() -> None:
        if url and service.url != url:
            raise Violation(f"status.url to be {url} again", service.url)

    eventually("the service's URL as before", same, budget=seconds("fault-recovery"), in_a_row=1)
    wait_for_answer(service, "models are listed again", Client.models, _is_ok)


def _until_handshake_fails(service: LlmService) -> None:
    def fails() -> None:
        if (found := shake(front_of(service))).verdict is Verdict.ALLOWED:
            raise Violation("the fault in effect: no handshake", found.summary)

    eventually("handshakes to fail", fails, budget=seconds("fault-effect"), in_a_row=2)


def _image(found: Object) -> str:
    return gateways.image(found["spec"]["template"]["spec"], gateways.PROXY)


def _is_ok(reply: Reply) -> bool:
    return reply.status == 200
