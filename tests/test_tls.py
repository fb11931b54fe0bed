"""TLS as a client sees it: what an authority of our own signs, what handshakes tell, and why they fail."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tools.probe.verdict import Verdict
from tools.tls import leaf
from tools.tls.authority import Authority, Pair, self_signed, tls_secret
from tools.tls.handshake import Front, Handshake, shake
from tools.tls.trouble import cause

NAME = "gateway.test"
AUTHORITY = Authority()
Serving = Callable[..., Front]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """Starts a TLS server with a certificate; it takes one handshake after the other."""
    sockets: list[socket.socket] = []
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(AUTHORITY.certificate)

    def start(pair: Pair, host: str = NAME, protocols: tuple[str, ...] = ("h2", "http/1.1")) -> Front:
        (tmp_path / "tls.crt").write_bytes(pair.certificate)
        (tmp_path / "tls.key").write_bytes(pair.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
        context.set_alpn_protocols(list(protocols))
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        threading.Thread(target=_serve, args=(listening, context), daemon=True).start()
        return Front("127.0.0.1", listening.getsockname()[1], host, trusted)

    yield start
    for each in sockets:
        each.close()


def _serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listening.accept()
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as wrapped:
                wrapped.recv(1)


def test_a_good_certificate_verifies(serving: Serving) -> None:
    pair = AUTHORITY.issue([NAME])
    found = shake(serving(pair), protocols=("h2", "http/1.1"))
    assert (found.verdict, found.protocol) == (Verdict.ALLOWED, "h2")
    assert found.version in ("TLSv1.2", "TLSv1.3")
    read = leaf.read(found.leaf)
    assert read.names == (NAME,)
    assert read == leaf.read_pem(pair.certificate)


@pytest.mark.parametrize(
    ("pair", "host", "words"),
    [
        (AUTHORITY.issue([NAME], days=-1 / 24), NAME, "has ended"),
        (AUTHORITY.issue([NAME], since=1), NAME, "begins later"),
        (AUTHORITY.issue(["another.test"]), NAME, "for other names"),
        (AUTHORITY.issue([NAME]), "127.0.0.1", "say its name in the profile"),
        (self_signed([NAME]), NAME, "self-signed"),
        (Authority().issue([NAME]), NAME, "another authority"),
    ],
)
def test_a_bad_one_does_not_and_the_cause_is_told(serving: Serving, pair: Pair, host: str, words: str) -> None:
    found = shake(serving(pair, host))
    assert found.verdict is Verdict.UNTRUSTED
    assert words in cause(gateway(_listener()), found)


@pytest.mark.parametrize(("version", "taken"), [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)])
def test_one_version_alone_is_offered(serving: Serving, version: ssl.TLSVersion, taken: bool) -> None:
    found = shake(serving(AUTHORITY.issue([NAME])), version=version)
    assert (found.verdict is Verdict.ALLOWED) is taken


def test_nobody_there(serving: Serving) -> None:
    front = serving(AUTHORITY.issue([NAME]))
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    found = shake(Front(front.address, port, NAME, front.ca_file))
    assert found.verdict is Verdict.REFUSED
    assert "no proxy of the Gateway runs" in cause(gateway(_listener()), found)


def test_the_listeners_word_goes_before_what_was_seen() -> None:
    broken = Handshake(Verdict.RESET, "cut")
    row = {"type": "ResolvedRefs", "status": "False", "reason": "InvalidCertificateRef", "observedGeneration": 1}
    assert "InvalidCertificateRef" in cause(gateway(_listener(), [row]), broken)
    assert "no listener for HTTPS; it has http: HTTP at 80" in cause(
        gateway({"name": "http", "port": 80, "protocol": "HTTP"}), broken
    )
    assert "does not send it" in cause(gateway(_listener()), broken)


def test_days_left() -> None:
    read = leaf.read_pem(AUTHORITY.issue([NAME], days=2).certificate)
    assert 1.9 < read.days_left(dt.datetime.now(dt.UTC)) <= 2


def test_what_is_no_certificate_is_told() -> None:
    with pytest.raises(ValueError, match="PEM"):
        leaf.read_pem(b"no certificate")


def test_a_secret_is_of_the_type_that_listeners_take() -> None:
    found = tls_secret("a", "n", AUTHORITY.issue([NAME]), {"run": "7"})
    assert (found["type"], sorted(found["data"])) == ("kubernetes.io/tls", ["tls.crt", "tls.key"])


def test_openssl_does_the_same() -> None:
    front = Front("192.0.2.1", 443, NAME, Path("ca.pem"))
    assert front.openssl == (
        "openssl s_client -connect 192.0.2.1:443 -servername gateway.test -CAfile ca.pem"
        " -verify_hostname gateway.test -brief"
    )


def _listener() -> dict[str, Any]:
    return {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "cert"}]}}


def gateway(listener: dict[str, Any], rows: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A Gateway with one listener, all well but for some conditions."""
    good = [
        {"type": kind, "status": "True", "reason": "Ok", "observedGeneration": 1}
        for kind in ("Accepted", "Programmed", "ResolvedRefs")
    ]
    told = {"name": listener["name"], "attachedRoutes": 1, "conditions": [*good, *(rows or [])]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "n", "generation": 1},
        "spec": {"listeners": [listener]},
        "status": {"listeners": [told], "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]},
    }
