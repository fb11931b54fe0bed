"""The client over TLS, under another name, through a proxy; and its curl, which does the same."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.http_server import Answer, serving
from tools.errors import UserError
from tools.install.certificates import issue
from tools.openai.client import Client
from tools.openai.curl import Via, command
from tools.openai.expect import expect_status
from tools.probe.verdict import ProbeFailed, Verdict
from tools.secret import Secret

NAME = "gateway.test"
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is needed to run what is printed, and not there")


@dataclass(frozen=True)
class Https:
    """A server with a certificate for `NAME`, and the authority's file."""

    url: str
    ca_file: Path
    asked: list[str]


@pytest.fixture
def https(tmp_path: Path) -> Iterator[Https]:
    issued = issue([NAME])
    for name, content in (("ca.crt", issued.authority), ("tls.crt", issued.certificate), ("tls.key", issued.key)):
        (tmp_path / name).write_bytes(content)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.headers['Host']} {self.path} {self.headers['Authorization']}")
            self.send_response_only(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that does not trust it goes away

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Https(f"https://127.0.0.1:{server.server_port}", tmp_path / "ca.crt", asked)
    server.shutdown()
    server.server_close()
    thread.join()


def test_name_is_asked_for_and_checked(https: Https) -> None:
    client = Client(https.url, "m", "tester", ca_file=https.ca_file, host=NAME, token=Secret("a-bearer-token"))
    assert client.models().status == 200
    assert https.asked == [f"{NAME} /v1/models Bearer a-bearer-token"]


def test_certificates_are_always_checked(https: Https) -> None:
    reply = Client(https.url, "m", "tester", host=NAME).models()
    assert reply.verdict is Verdict.UNTRUSTED
    assert "CERTIFICATE_VERIFY_FAILED" in reply.summary


def test_certificate_for_another_name_is_not_taken(https: Https) -> None:
    reply = Client(https.url, "m", "tester", ca_file=https.ca_file).models()
    assert reply.verdict is Verdict.UNTRUSTED


def test_tls_towards_a_plaintext_port() -> None:
    with serving(lambda _: Answer()) as (url, _):
        reply = Client(url.replace("http:", "https:"), "m", "tester").models()
    assert reply.verdict is Verdict.UNTRUSTED


def test_plaintext_towards_a_tls_port_is_cut(https: Https) -> None:
    reply = Client(https.url.replace("https:", "http:"), "m", "tester").models()
    assert reply.verdict is Verdict.RESET


def test_certificates_that_cannot_be_read_are_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("no PEM")
    for name in ("missing", "empty"):
        with pytest.raises(UserError, match="in PEM"):
            Client("https://a", "m", "tester", ca_file=tmp_path / name)


def test_host_over_plain_http() -> None:
    with serving(lambda _: Answer()) as (url, asked):
        reply = Client(url, "m", "tester", host=NAME).models()
    assert asked[0].headers["host"] == NAME
    assert f"-H 'Host: {NAME}'" in reply.request.curl


def test_proxy_is_used() -> None:
    with serving(lambda _: Answer(200, "{}")) as (url, asked):
        reply = Client("http://gateway.test/x", "m", "tester", proxy=url).models()
    assert (reply.status, asked[0].path) == (200, "http://gateway.test/x/v1/models")
    assert f"-x {url}" in reply.request.curl


@pytest.mark.parametrize("url", ["http://gateway.test/x", "https://gateway.test/x"])
def test_proxy_that_is_not_there_says_nothing_about_the_service(url: str) -> None:
    reply = Client(url, "m", "tester", proxy="http://127.0.0.1:1", timeout=httpx.Timeout(2)).models()
    assert reply.verdict is Verdict.PROBE_FAILED
    with pytest.raises(ProbeFailed, match="the service was not asked") as caught:
        expect_status(reply, 200, "the models")
    assert not isinstance(caught.value, AssertionError)


def test_proxy_that_refuses_says_nothing_about_the_service() -> None:
    with serving(lambda _: Answer(403)) as (url, _):
        reply = Client("https://gateway.test/x", "m", "tester", proxy=url).models()
    assert reply.verdict is Verdict.PROBE_FAILED


def test_name_over_tls_through_a_proxy_is_refused() -> None:
    with pytest.raises(UserError, match="checked against the host in the URL"):
        Client("https://203.0.113.7", "m", "tester", host=NAME, proxy="http://127.0.0.1:1")


def test_curl_for_the_usual_port() -> None:
    via = Via(host=NAME)
    assert command("GET", "https://[2001:db8::7]/v1/models", {}, "", via) == (
        "curl -sS -i -N -X GET https://gateway.test/v1/models --connect-to 'gateway.test:443:[2001:db8::7]:443'"
    )


@needs_curl
def test_curl_does_the_same(https: Https) -> None:
    client = Client(https.url, "m", "tester", ca_file=https.ca_file, host=NAME, token=Secret("a-bearer-token"))
    curl = client.models().request.curl
    done = subprocess.run(
        ["sh", "-c", curl], env={"TOKEN": "a-bearer-token", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert https.asked == [f"{NAME} /v1/models Bearer a-bearer-token"] * 2
