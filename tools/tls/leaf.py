"""A server's certificate, read. Pure."""

import datetime as dt
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@dataclass(frozen=True)
class Leaf:
    """What a certificate says.

    Attributes:
        fingerprint: SHA-256 of its DER form, in hexadecimal digits.
        names: that it is for.
        ends: when its validity ends.
    """

    fingerprint: str
    names: tuple[str, ...]
    ends: dt.datetime

    def days_left(self, now: dt.datetime) -> float:
        """For how many more days it is valid."""
        return (self.ends - now) / dt.timedelta(days=1)

    def __str__(self) -> str:
        names = ", ".join(self.names) or "no name"
        return f"certificate {self.fingerprint[:16]} for {names}, until {self.ends:%Y-%m-%d %H:%M} UTC"


def read(der: bytes) -> Leaf:
    """Read a certificate in DER."""
    return _leaf(x509.load_der_x509_certificate(der))


def read_pem(pem: bytes) -> Leaf:
    """Read the first certificate of a chain in PEM, which is the server's own; raises ValueError if there is none."""
    return _leaf(x509.load_pem_x509_certificates(pem)[0])


def _leaf(found: x509.Certificate) -> Leaf:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        told = [str(each) for each in names.get_values_for_type(x509.DNSName)]
        told += [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        told = []
    fingerprint = hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()
    return Leaf(fingerprint, tuple(told), found.not_valid_after_utc)
