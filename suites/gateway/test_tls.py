"""TLS at the Gateway, as a client sees it that checks everything."""

import base64
import ssl
from datetime import UTC, datetime

import pytest

from tools.cases.capabilities import DEPLOY
from tools.cases.requirement import claimed
from tools.explain import Violation, bullets, check
from tools.faults import certificate as faults
from tools.faults import envoy as filters
from tools.faults import gateway as of_gateway
from tools.kube import gateways
from tools.kube.kinds import GATEWAY, SECRET
from tools.kube.llm_service import LlmService, Place
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.probe.verdict import Verdict
from tools.profile import Profile
from tools.tls import leaf
from tools.tls.handshake import Front, Handshake, shake
from tools.tls.trouble import cause

_OLD = {"TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1}
_GOOD = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


@pytest.mark.conformance(
    name="gateway-serves-tls",
    level="core",
    requires=[claimed("tls")],
    fault=[
        of_gateway.https_listener_dropped.shows("the Gateway has no listener for HTTPS"),
        of_gateway.https_listener_in_clear.shows("WRONG_VERSION_NUMBER", "the Gateway has no listener for HTTPS"),
        of_gateway.certificate_missing.shows("InvalidCertificateRef", "no-such-certificate"),
    ],
    checks=["tls"],
)
def test_serves_tls(service: LlmService, front: Front, tls_client: Client) -> None:
    """A completion over TLS is answered in full, by the name that the certificate is for."""
    _expect_handshake(service, front)
    expect_completion(tls_client.complete(), tls_client.model)


@pytest.mark.conformance(
    name="gateway-certificate-verifies",
    level="core",
    requires=[claimed("tls")],
    fault=[
        faults.certificate_expired.shows("certificate has expired", "has ended"),
        faults.certificate_of_another_name.shows("ostname mismatch", "for other names"),
        faults.certificate_self_signed.shows("self-signed"),
        faults.certificate_of_another_authority.shows("another authority"),
    ],
    checks=["tls"],
)
def test_certificate_verifies(service: LlmService, front: Front, profile: Profile) -> None:
    """The certificate is for the promised name, of today, and its chain ends at an authority that clients trust."""
    found = _expect_handshake(service, front)
    told, wanted = leaf.read(found.leaf), profile.gateway.tls.host or front.host
    check(
        bool(told.names),
        f"a certificate for {wanted}, by subjectAltName",
        f"{told}",
        cause="the certificate has only a common name, which clients no longer look at",
        next_step=front.openssl,
    )


@pytest.mark.conformance(
    name="gateway-certificate-lasts",
    level="core",
    requires=[claimed("tls")],
    fault=faults.certificate_about_to_end.shows("ends in 2.0 days", "renew"),
    checks=["tls"],
)
def test_certificate_lasts(service: LlmService, front: Front, profile: Profile) -> None:
    """The served certificate is valid for the promised number of further days."""
    found, days = leaf.read(_expect_handshake(service, front).leaf), profile.gateway.tls.days_left
    left = found.days_left(datetime.now(UTC))
    check(
        left >= days,
        f"a certificate that is valid for {days} more days",
        f"it ends in {left:.1f} days: {found}",
        cause="nothing renews it in time: the issuer fails, or it was made by hand",
        next_step=service.kube.kubectl("get", "certificates.cert-manager.io", "-n", service.gateway.namespace),
    )


@pytest.mark.conformance(
    name="gateway-certificate-is-the-secrets",
    level="core",
    requires=[claimed("tls"), DEPLOY],
    fault=filters.certificate_pinned.shows("serves certificate", "Secret", "EnvoyFilter"),
    checks=["tls"],
)
def test_certificate_is_the_secrets(service: LlmService, front: Front) -> None:
    """What the listener serves is the certificate in its Secret as that is now."""
    gateway = service.read_gateway()
    served = leaf.read(_expect_handshake(service, front).leaf)
    places = [place for each in gateways.listeners(gateway) for place in each.certificates]
    stored = {place: _stored(service, place) for place in places}
    check(
        served.fingerprint in {each.fingerprint for each in stored.values()},
        f"the certificate of {', '.join(f'Secret {place}' for place in places)} to be served",
        f"{front.address}:{front.port} serves {served}; "
        + "; ".join(f"Secret {place} has {each}" for place, each in stored.items()),
        cause="the proxy has not taken the renewed Secret, or an EnvoyFilter gives it another certificate",
        next_step=front.openssl,
    )


@pytest.mark.conformance(
    name="gateway-tls-is-of-today",
    level="core",
    requires=[claimed("tls")],
    fault=[
        filters.old_tls_taken.shows("TLSv1.1 is taken"),
        filters.new_tls_refused.shows("TLSv1.3 is not taken"),
    ],
    checks=["tls"],
)
def test_versions(service: LlmService, front: Front) -> None:
    """TLS 1.2 and 1.3 are taken, older versions are refused."""
    _expect_handshake(service, front)
    taken = {name: shake(front, version=version) for name, version in (_OLD | _GOOD).items()}
    wrong = [f"{name} is taken" for name in _OLD if taken[name].verdict is Verdict.ALLOWED]
    wrong += [
        f"{name} is not taken: {taken[name].summary}" for name in _GOOD if taken[name].verdict is not Verdict.ALLOWED
    ]
    check(
        not wrong,
        "TLS 1.2 and 1.3 to be taken, 1.0 and 1.1 to be refused",
        bullets(wrong),
        cause="the listener's tls options, or an EnvoyFilter, set minimum or maximum",
        next_step=f"{front.openssl} -tls1_1 -cipher DEFAULT:@SECLEVEL=0",
    )


@pytest.mark.conformance(
    name="gateway-tls-negotiates-http2",
    level="core",
    requires=[claimed("tls")],
    fault=filters.http2_not_offered.shows("h2 is not agreed upon"),
    checks=["tls"],
)
def test_protocols(service: LlmService, front: Front) -> None:
    """Clients that offer HTTP/2 (ALPN) get it, and those that offer HTTP/1.1 get that."""
    _expect_handshake(service, front)
    offers = {"h2": ("h2", "http/1.1"), "http/1.1": ("http/1.1",)}
    found = {wanted: shake(front, protocols=offered) for wanted, offered in offers.items()}
    wrong = [
        f"{wanted} is not agreed upon: {each.summary}" for wanted, each in found.items() if each.protocol != wanted
    ]
    check(
        not wrong,
        "h2 for clients that prefer it, http/1.1 for those that offer nothing else",
        bullets(wrong),
        cause="something in front of the gateway ends TLS itself, or an EnvoyFilter changes alpn_protocols",
        next_step=f"{front.openssl} -alpn h2,http/1.1",
    )


def _expect_handshake(service: LlmService, front: Front) -> Handshake:
    __tracebackhide__ = True
    found = shake(front)
    if found.verdict is Verdict.ALLOWED:
        return found
    raise Violation(
        f"a TLS handshake with {front.address}:{front.port} as {front.host}, and a certificate that verifies",
        found.summary,
        cause=cause(service.read_gateway(), found),
        next_step=front.openssl,
        details=service.kube.kubectl(
            "-n", service.gateway.namespace, "describe", GATEWAY.resource, service.gateway.name
        ),
    )


def _stored(service: LlmService, place: Place) -> leaf.Leaf:
    data = service.kube.get(SECRET, place.name, place.namespace).get("data") or {}
    return leaf.read_pem(base64.b64decode(data.get("tls.crt", "")))
