"""Certificates of the installation: there, with their key, for the right name, trusted, and not about to end."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from tools.kube.client import Object

# Whoever renews certificates does so before this: cert-manager at a third of their life that is left.
_SOON = timedelta(days=30)
_SHARE = 3


@dataclass(frozen=True)
class Pair:
    """A Secret with a certificate, by the names of its keys.

    Attributes:
        where: in words.
        certificate, key: keys of its data.
    """

    where: str
    certificate: str = "tls.crt"
    key: str = "tls.key"


def problems(secret: Object | None, pair: Pair, now: datetime, names: Iterable[str] = ()) -> list[str]:
    """What is wrong with a certificate in a Secret, one line each. Pure.

    Args:
        secret: the Secret; None where there is none.
        pair: which of its keys.
        now: the time, with its zone.
        names: that the certificate has to be for.
    """
    if secret is None:
        return [f"{pair.where} is not there"]
    data = secret.get("data") or {}
    if missing := [key for key in (pair.certificate, pair.key) if not data.get(key)]:
        return [f"{pair.where} has no {' and no '.join(missing)}"]
    try:
        chain = x509.load_pem_x509_certificates(base64.b64decode(data[pair.certificate]))
        key = serialization.load_pem_private_key(base64.b64decode(data[pair.key]), None)
    except (ValueError, TypeError, binascii.Error) as error:
        return [f"{pair.where} cannot be read: {error}"]
    leaf = chain[0]
    lines = list(_dates(leaf, pair.where, now))
    if _public(key.public_key()) != _public(leaf.public_key()):
        lines.append(f"{pair.where}: the key is not that of the certificate")
    has = _names(leaf)
    if lacking := [name for name in names if name not in has]:
        lines.append(f"{pair.where} is for {', '.join(has) or 'no name'}, not for {', '.join(lacking)}")
    return lines


def untrusted(secret: Object, bundle: str) -> str:
    """Why an authority (PEM in base64, as in a webhook's `caBundle`) does not vouch for a Secret's `tls.crt`. Pure."""
    if not bundle:
        return "it has no caBundle"
    try:
        authorities = x509.load_pem_x509_certificates(base64.b64decode(bundle))
        chain = x509.load_pem_x509_certificates(base64.b64decode((secret.get("data") or {}).get("tls.crt", "")))
    except (ValueError, binascii.Error) as error:
        return f"caBundle or certificate cannot be read: {error}"
    if any(_issued(each, by) for each in chain for by in authorities):
        return ""
    subjects = ", ".join(each.subject.rfc4514_string() for each in authorities)
    return f"its caBundle ({subjects}) did not issue the certificate, which is by {chain[-1].issuer.rfc4514_string()}"


def not_issued(certificates: Iterable[Object]) -> list[str]:
    """cert-manager's Certificates that it says are not Ready; one that nobody looks after says nothing. Pure."""
    return [
        f"Certificate {each['metadata']['namespace']}/{each['metadata']['name']}: Ready is {row['status']}"
        f" ({row.get('reason', '')}: {row.get('message', '')})"
        for each in certificates
        for row in each.get("status", {}).get("conditions", [])
        if row["type"] == "Ready" and row["status"] != "True"
    ]


def _dates(leaf: x509.Certificate, where: str, now: datetime) -> Iterator[str]:
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now < begins:
        yield f"{where} is valid from {begins:%Y-%m-%d %H:%M} only"
    if now >= ends:
        yield f"{where} expired on {ends:%Y-%m-%d %H:%M}"
    elif (left := ends - now) < min(_SOON, (ends - begins) / _SHARE):
        yield f"{where} expires on {ends:%Y-%m-%d %H:%M}, in {left.days} days, and was not renewed"


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        return leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
            x509.DNSName
        )
    except x509.ExtensionNotFound:
        return []


def _issued(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    if certificate == by:
        return True
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded
