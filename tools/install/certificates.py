"""Certificates in place of cert-manager: what charts ask of it, answered once, at installation.

A chart states a `Certificate` and marks the objects that need its authority with `cert-manager.io/inject-ca-from`;
the same two statements are read here, so no name of a chart's object is repeated.
"""

import base64
import datetime as dt
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

INJECT = "cert-manager.io/inject-ca-from"
_LIFETIME = dt.timedelta(days=90)
# Clocks differ.
_AGE = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key and the authority that signed it, all PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


def issue(dns_names: list[str], *, lifetime: dt.timedelta = _LIFETIME, age: dt.timedelta = _AGE) -> Issued:
    """Issue a server certificate from an authority made for it alone.

    Args:
        dns_names: names that the server is called by; the first becomes the common name.
        lifetime: until it ends.
        age: since it is valid.
    """
    now = dt.datetime.now(dt.UTC)
    span = now - age, now + lifetime
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("llmisvc-conformance stand-in for cert-manager")
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key(), span)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder(_name(dns_names[0][:64]), authority_name, key.public_key(), span)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in dns_names]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Issued(authority.public_bytes(pem), certificate.public_bytes(pem), private)


def asked_for(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The `Certificate` objects among a chart's documents."""
    return [
        found for found in documents if found.get("kind") == "Certificate" and "cert-manager.io" in found["apiVersion"]
    ]


def secret(certificate: dict[str, Any], namespace: str, issued: Issued) -> dict[str, Any]:
    """The Secret that cert-manager would make for a `Certificate`."""
    data = {"ca.crt": issued.authority, "tls.crt": issued.certificate, "tls.key": issued.key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": certificate["spec"]["secretName"], "namespace": namespace},
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def with_authority(found: dict[str, Any], authority: bytes) -> dict[str, Any]:
    """A patch that puts the authority into a webhook configuration or into a CRD's conversion webhook."""
    bundle = base64.b64encode(authority).decode()
    if found["kind"] == "CustomResourceDefinition":
        return {"spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": bundle}}}}}
    hooks = [hook | {"clientConfig": hook["clientConfig"] | {"caBundle": bundle}} for hook in found["webhooks"]]
    return {"webhooks": hooks}


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, span: tuple[dt.datetime, dt.datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
    )
