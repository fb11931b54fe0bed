"""A TLS handshake with a gateway, and what came of it. Certificates are always checked."""

import socket
import ssl
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.probe.verdict import Verdict
from tools.waiting.timeouts import seconds

# OpenSSL as Debian has it knows the old versions, and offers them only at its lowest level of security.
_OLD = {ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1}


@dataclass(frozen=True)
class Front:
    """Where a gateway serves TLS, and how clients check that it is the right one.

    Attributes:
        address: of the Gateway.
        port: of the listener.
        host: the name that clients ask for (SNI) and check; the address where there is no name.
        ca_file: authorities to trust; None for this machine's.
    """

    address: str
    port: int
    host: str
    ca_file: Path | None

    @property
    def openssl(self) -> str:
        """The same handshake as a command to copy."""
        trust = f" -CAfile {self.ca_file}" if self.ca_file else ""
        named = f" -servername {self.host}" if self.host != self.address else ""
        return f"openssl s_client -connect {self.address}:{self.port}{named}{trust} -verify_hostname {self.host} -brief"


@dataclass(frozen=True)
class Handshake:
    """How a handshake ended.

    Attributes:
        verdict: ALLOWED when it succeeded and the certificate was right.
        problem: what went wrong, in the words of who saw it.
        version: agreed upon, for example `TLSv1.3`.
        protocol: agreed upon by ALPN; empty if none was.
        leaf: the server's certificate, DER.
    """

    verdict: Verdict
    problem: str = ""
    version: str = ""
    protocol: str = ""
    leaf: bytes = b""

    @property
    def summary(self) -> str:
        """One line."""
        if self.verdict is Verdict.ALLOWED:
            return f"{self.version}, protocol {self.protocol or 'not negotiated'}"
        return f"{self.verdict}: {self.problem}"


def shake(front: Front, *, version: ssl.TLSVersion | None = None, protocols: Sequence[str] = ()) -> Handshake:
    """One handshake, and nothing after it.

    Args:
        front: with whom.
        version: the only version to offer; None for those that are usual.
        protocols: for ALPN, the preferred first.
    """
    context = ssl.create_default_context(cafile=str(front.ca_file) if front.ca_file else None)
    if version is not None:
        if version in _OLD:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            # Offered to see that they are refused.
            context.minimum_version = context.maximum_version = version
    if protocols:
        context.set_alpn_protocols(list(protocols))
    try:
        with (
            socket.create_connection((front.address, front.port), timeout=seconds("request-connect")) as plain,
            context.wrap_socket(plain, server_hostname=front.host) as wrapped,
        ):
            return Handshake(
                Verdict.ALLOWED,
                version=wrapped.version() or "",
                protocol=wrapped.selected_alpn_protocol() or "",
                leaf=wrapped.getpeercert(binary_form=True) or b"",
            )
    except ssl.SSLCertVerificationError as error:
        return Handshake(Verdict.UNTRUSTED, error.verify_message or str(error))
    except ssl.SSLError as error:
        return Handshake(Verdict.UNTRUSTED, str(error.reason or error))
    except TimeoutError:
        return Handshake(Verdict.DROPPED, f"nothing came back from {front.address}:{front.port}")
    except ConnectionRefusedError:
        return Handshake(Verdict.REFUSED, f"nothing listens at {front.address}:{front.port}")
    except ConnectionError as error:
        return Handshake(Verdict.RESET, f"{front.address}:{front.port} cut it: {error}")
    except OSError as error:
        return Handshake(Verdict.UNREACHABLE, f"{front.address}:{front.port}: {error}")
