"""Faults in what the Gateway's proxies are told, by EnvoyFilters that are for the service's own Gateway only."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tools.explain import Violation
from tools.faults.fault import fault
from tools.kube import gateways, istiod
from tools.kube.client import Object
from tools.kube.kinds import ENVOY_FILTER, NAMESPACE
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService, Place
from tools.probe.verdict import Verdict
from tools.tls import leaf
from tools.tls.authority import Pair, own
from tools.tls.front import front_of
from tools.tls.handshake import shake
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_TYPE = "type.googleapis.com/envoy.extensions"
_MANAGER = f"{_TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_LUA = f"{_TYPE}.filters.http.lua.v3.Lua"
_DOWNSTREAM_TLS = f"{_TYPE}.transport_sockets.tls.v3.DownstreamTlsContext"


@fault(breaks_gateway=True)
def configuration_refused(service: LlmService) -> Iterator[None]:
    """The proxies are sent a filter that they refuse: they go on with what they had, and take no change any more."""

    def refused() -> None:
        known = istiod.unacknowledged(service.kube, service.istiod.namespace)
        if all(not _behind(known, pod, service) for pod in gateways.proxies(service.kube, service.gateway)):
            raise Violation("the fault in effect: proxies that refuse what they are sent", f"{known}")

    with filtered(service, "configuration_refused", [lua("this is no program")], refused):
        yield


@fault(breaks_gateway=True)
def certificate_pinned(service: LlmService) -> Iterator[None]:
    """The proxies are told to serve a certificate of their own, whatever is in the Secret."""
    pair = _own(service)
    mine = leaf.read_pem(pair.certificate).fingerprint

    def served() -> None:
        found = shake(front_of(service))
        if not found.leaf or leaf.read(found.leaf).fingerprint != mine:
            raise Violation("the other certificate to be served", found.summary)

    with filtered(service, "certificate_pinned", [tls(pair)], served):
        yield


@fault(breaks_gateway=True)
def old_tls_taken(service: LlmService) -> Iterator[None]:
    """The proxies take TLS 1.0 and 1.1."""
    old = {"tls_minimum_protocol_version": "TLSv1_0", "cipher_suites": ["ECDHE-ECDSA-AES128-SHA"]}

    def taken() -> None:
        found = shake(front_of(service), version=ssl.TLSVersion.TLSv1_1)
        if found.verdict is not Verdict.ALLOWED:
            raise Violation("TLS 1.1 to be taken", found.summary)

    with filtered(service, "old_tls_taken", [tls(_own(service), tls_params=old)], taken):
        yield


@fault(breaks_gateway=True)
def new_tls_refused(service: LlmService) -> Iterator[None]:
    """The proxies take nothing newer than TLS 1.2."""

    def refused() -> None:
        found = shake(front_of(service), version=ssl.TLSVersion.TLSv1_3)
        if found.verdict is Verdict.ALLOWED:
            raise Violation("TLS 1.3 to be refused", found.summary)

    with filtered(
        service,
        "new_tls_refused",
        [tls(_own(service), tls_params={"tls_maximum_protocol_version": "TLSv1_2"})],
        refused,
    ):
        yield


@fault(breaks_gateway=True)
def http2_not_offered(service: LlmService) -> Iterator[None]:
    """The proxies agree upon HTTP/1.1 with every client."""

    def shows() -> None:
        found = shake(front_of(service), protocols=("h2", "http/1.1"))
        if found.protocol == "h2":
            raise Violation("h2 not to be agreed upon", found.summary)

    with filtered(service, "http2_not_offered", [tls(_own(service), alpn_protocols=["http/1.1"])], shows):
        yield


def _own(service: LlmService) -> Pair:
    """A good certificate for the service's Gateway."""
    return own().issue([service.connection.tls_host])


def _behind(known: dict[str, list[str]], pod: Object, service: LlmService) -> list[str]:
    return known.get(f"{pod['metadata']['name']}.{service.gateway.namespace}", [])


@contextmanager
def filtered(service: LlmService, name: str, patches: list[Object], shows: Callable[[], None]) -> Iterator[None]:
    """An EnvoyFilter for the service's Gateway; ends when it is in effect no more.

    Args:
        service: whose Gateway.
        name: of the fault.
        patches: the filter's.
        shows: raises Violation until it is in effect.
    """
    with filtered_at(service, service.gateway, name, patches):
        eventually(f"{name} to be in effect", shows, budget=seconds("fault-effect"), in_a_row=1)
        yield

    def gone() -> None:
        try:
            shows()
        except Violation:
            return
        raise Violation(f"{name} to be in effect no more", "it still is")

    eventually(f"{name} to be in effect no more", gone, budget=seconds("fault-recovery"), in_a_row=2)


@contextmanager
def filtered_at(service: LlmService, place: Place, name: str, patches: list[Object]) -> Iterator[None]:
    """An EnvoyFilter for any Gateway of the run; nothing is waited for."""
    kube, title = service.kube, name.replace("_", "-")
    document = {
        "apiVersion": ENVOY_FILTER.api,
        "kind": ENVOY_FILTER.kind,
        "metadata": {
            "name": title,
            "namespace": place.namespace,
            "labels": made_for(kube.get(NAMESPACE, service.namespace), name),
        },
        "spec": {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": place.name}],
            "configPatches": patches,
        },
    }
    try:
        kube.apply(document)
        yield
    finally:
        kube.delete(ENVOY_FILTER, title, place.namespace)


def lua(code: str) -> Object:
    """A program that is run for every request, before all other filters."""
    return {
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "GATEWAY",
            "listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}},
        },
        "patch": {
            "operation": "INSERT_FIRST",
            "value": {
                "name": "llmisvc-conformance",
                "typed_config": {"@type": _LUA, "default_source_code": {"inline_string": code}},
            },
        },
    }


def manager(**settings: Any) -> Object:
    """Other settings of what handles HTTP."""
    return {
        "applyTo": "NETWORK_FILTER",
        "match": {
            "context": "GATEWAY",
            "listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}},
        },
        "patch": {"operation": "MERGE", "value": {"typed_config": {"@type": _MANAGER, **settings}}},
    }


def tls(pair: Pair, **settings: Any) -> Object:
    """TLS at the listener for it as said here, in place of what istiod sends.

    Under another name than istiod's: settings of the same name would be merged, and lists in them appended.
    """
    inline = {
        "certificate_chain": {"inline_string": pair.certificate.decode()},
        "private_key": {"inline_string": pair.key.decode()},
    }
    common = {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [inline]} | settings
    context = {"@type": _DOWNSTREAM_TLS, "common_tls_context": common}
    return {
        "applyTo": "FILTER_CHAIN",
        "match": {"context": "GATEWAY", "listener": {"portNumber": 443}},
        "patch": {
            "operation": "MERGE",
            "value": {"transport_socket": {"name": "llmisvc-conformance", "typed_config": context}},
        },
    }
