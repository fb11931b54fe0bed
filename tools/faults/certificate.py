"""Faults of the certificate that the service's own Gateway serves."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.explain import Violation
from tools.faults.fault import fault
from tools.kube import gateways
from tools.kube.kinds import SECRET
from tools.kube.llm_service import LlmService
from tools.probe.verdict import Verdict
from tools.tls import leaf
from tools.tls.authority import Authority, Pair, own, self_signed, tls_secret
from tools.tls.front import front_of
from tools.tls.handshake import Handshake, shake
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_ELSEWHERE = "another.example.com"


@fault(breaks_gateway=True)
def certificate_expired(service: LlmService) -> Iterator[None]:
    """The certificate has ended an hour ago."""
    with _replaced(service, own().issue([_host(service)], days=-1 / 24)):
        yield


@fault(breaks_gateway=True)
def certificate_of_another_name(service: LlmService) -> Iterator[None]:
    """The certificate is for another name, by the right authority."""
    with _replaced(service, own().issue([_ELSEWHERE])):
        yield


@fault(breaks_gateway=True)
def certificate_self_signed(service: LlmService) -> Iterator[None]:
    """The certificate is for the right name, and nobody stands for it but itself."""
    with _replaced(service, self_signed([_host(service)])):
        yield


@fault(breaks_gateway=True)
def certificate_of_another_authority(service: LlmService) -> Iterator[None]:
    """The certificate is for the right name, by an authority that nobody trusts."""
    with _replaced(service, Authority().issue([_host(service)])):
        yield


@fault(breaks_gateway=True)
def certificate_about_to_end(service: LlmService) -> Iterator[None]:
    """The certificate is good, and ends in two days."""
    with _replaced(service, own().issue([_host(service)], days=2 + 1 / 48)):
        yield


@contextmanager
def _replaced(service: LlmService, pair: Pair) -> Iterator[None]:
    """The listener's Secret with another certificate; returns, and ends, when the gateway serves what is there."""
    kube = service.kube
    place = next(each for listener in gateways.listeners(service.read_gateway()) for each in listener.certificates)
    before = kube.get(SECRET, place.name, place.namespace)["data"]
    other = tls_secret(place.name, place.namespace, pair, {})["data"]
    mine, usual = leaf.read_pem(pair.certificate), leaf.read_pem(base64.b64decode(before["tls.crt"]))
    try:
        kube.patch(SECRET, place.name, place.namespace, {"data": other})
        # A certificate that does not verify is not shown to a client that checks.
        _until(f"{mine}", service, lambda it: it.verdict is not Verdict.ALLOWED or _is(it, mine))
        yield
    finally:
        kube.patch(SECRET, place.name, place.namespace, {"data": before})
        _until(f"{usual}", service, lambda it: _is(it, usual))


def _is(found: Handshake, wanted: leaf.Leaf) -> bool:
    return bool(found.leaf) and leaf.read(found.leaf).fingerprint == wanted.fingerprint


def _until(what: str, service: LlmService, holds: Callable[[Handshake], bool]) -> None:
    front = front_of(service)

    def served() -> None:
        if not holds(found := shake(front)):
            raise Violation(f"the gateway to serve {what}", found.summary)

    eventually(f"the gateway to serve {what}", served, budget=seconds("fault-recovery"), in_a_row=2)


def _host(service: LlmService) -> str:
    return service.connection.tls_host
