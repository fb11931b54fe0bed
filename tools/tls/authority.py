"""An authority of a run's own, which signs the certificates of its Gateways: good ones, and for faults bad ones."""

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.manifests import Document

_NAME = "llmisvc-conformance authority of a run"
# Longer than what any profile may ask to be left.
_DAYS = 90.0
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A new authority: its key is in this process's memory, and nowhere else.

    Attributes:
        certificate: its own, PEM; what clients trust.
    """

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(_NAME)
        signed = (
            _builder(self._name, self._name, self._key.public_key(), -1, _DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = signed.public_bytes(_PEM)

    def issue(self, names: Sequence[str], *, days: float = _DAYS, since: float = -1) -> Pair:
        """A server's certificate.

        Args:
            names: DNS names that it is for.
            days: from now until it ends; less than nothing for one that has ended.
            since: from now until it begins, in days.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        signed = (
            _builder(_named(names[0]), self._name, key.public_key(), since, days)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Pair(signed.public_bytes(_PEM), _private(key))


def self_signed(names: Sequence[str]) -> Pair:
    """A server's certificate that nobody stands for but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(names[0])
    signed = (
        _builder(name, name, key.public_key(), -1, _DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(signed.public_bytes(_PEM), _private(key))


@cache
def own() -> Authority:
    """The authority of this process."""
    return Authority()


def tls_secret(name: str, namespace: str, pair: Pair, labels: Mapping[str, str]) -> Document:
    """A Secret of a certificate and its key, as listeners refer to it."""
    data = {"tls.crt": pair.certificate, "tls.key": pair.key}
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": dict(labels)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": metadata,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _named(common: str) -> x509.Name:
    # A common name has at most 64 characters; clients go by the other names.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, since: float, days: float
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=min(since, days - 1)))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
