"""An existing cluster is taken by its name only; each way in which that fails is one sentence. Real HTTP and TLS."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kube_server import CONTEXT, Serve
from tools.cluster.existing import ExistingProvider
from tools.cluster.kubeconfig import Entry
from tools.cluster.unreachable import explained
from tools.errors import UserError
from tools.install.certificates import Issued, issue
from tools.kube.errors import KubeError

_UID = "0b1c6f1e-0000-4000-8000-000000000001"
_SYSTEM = {"metadata": {"name": "kube-system", "uid": _UID}}


def _kubeconfig(path: Path, server: str, name: str = "ctx", **cluster: Any) -> Path:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t0p-secret"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def _refusal(provider: ExistingProvider) -> UserError:
    with pytest.raises(UserError) as refused:
        provider.up()
    assert "t0p-secret" not in str(refused.value)
    assert refused.value.next_step
    return refused.value


def _at(tmp_path: Path, server: str, **cluster: Any) -> UserError:
    return _refusal(ExistingProvider("ctx", _kubeconfig(tmp_path / "config", server, **cluster)))


def test_named_cluster_is_taken_with_its_identity(serve: Serve) -> None:
    server, kube = serve(lambda *_: (200, _SYSTEM))
    provider = ExistingProvider(CONTEXT, kube.kubeconfig)
    access = provider.up()
    assert (access.name, access.provider, access.context) == (CONTEXT, "existing", CONTEXT)
    assert access.identity == _UID
    assert not access.owned
    assert [asked[:2] for asked in server.asked] == [("GET", "/api/v1/namespaces/kube-system")]


def test_it_is_never_taken_down(serve: Serve) -> None:
    server, kube = serve(lambda *_: (200, _SYSTEM))
    provider = ExistingProvider(CONTEXT, kube.kubeconfig)
    provider.up()
    asked = list(server.asked)
    assert provider.down() is False
    assert provider.deaths() == []
    assert server.asked == asked


def test_current_context_is_not_taken(serve: Serve) -> None:
    server, kube = serve(lambda *_: (200, _SYSTEM))
    refused = _refusal(ExistingProvider("", kube.kubeconfig))
    assert "no --context" in refused.observed
    assert server.asked == []


def test_pinned_cluster(serve: Serve) -> None:
    _, kube = serve(lambda *_: (200, _SYSTEM))
    assert ExistingProvider(CONTEXT, kube.kubeconfig, pin=_UID).up().identity == _UID


def test_name_that_was_repointed(serve: Serve) -> None:
    _, kube = serve(lambda *_: (200, _SYSTEM))
    refused = _refusal(ExistingProvider(CONTEXT, kube.kubeconfig, pin="another-uid"))
    assert "another-uid" in refused.expected
    assert _UID in refused.observed
    assert "re-pointed" in refused.cause


def test_production_without_a_pin_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    refused = _refusal(ExistingProvider("eu-prod", _kubeconfig(tmp_path / "c", "http://127.0.0.1:1", "eu-prod")))
    assert "the word 'prod' in the context eu-prod" in refused.observed
    assert "get namespace kube-system" in refused.next_step


def test_production_with_a_pin(serve: Serve, tmp_path: Path) -> None:
    _, kube = serve(lambda *_: (200, _SYSTEM))
    server = yaml.safe_load(kube.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    file = _kubeconfig(tmp_path / "c", server, "eu-prod")
    assert ExistingProvider("eu-prod", file, pin=_UID).up().context == "eu-prod"


def test_user_who_may_not_see_the_identity(serve: Serve) -> None:
    message = 'namespaces "kube-system" is forbidden: User "u" cannot get resource "namespaces"'
    _, kube = serve(lambda *_: (403, {"message": message}))
    assert ExistingProvider(CONTEXT, kube.kubeconfig).up().identity == ""
    refused = _refusal(ExistingProvider(CONTEXT, kube.kubeconfig, pin=_UID))
    assert message in refused.observed
    assert "the right `get` on the namespace kube-system" in refused.next_step


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"message": "Unauthorized"}, "401: it does not take these credentials"),
        (403, {"message": 'User "system:anonymous" cannot get'}, "as one of nobody"),
        (404, b"<html>not here</html>", "404 for GET /api/v1/namespaces/kube-system: <html>not here</html>"),
        (302, b"", "302 for GET"),
        (503, {"message": "etcd"}, "503 for GET /api/v1/namespaces/kube-system: etcd"),
        (200, b"<html>log in</html>", "not as the Kubernetes API does"),
        (200, {"kind": "Status"}, "not as the Kubernetes API does"),
        (200, ["a list"], "not as the Kubernetes API does"),
    ],
)
def test_answers_that_are_refusals(serve: Serve, status: int, body: Any, words: str) -> None:
    server, kube = serve(lambda *_: (status, body))
    if isinstance(body, list):
        server.ended.set()  # it is no watch
    assert words in _refusal(ExistingProvider(CONTEXT, kube.kubeconfig)).observed


def test_nobody_listens(tmp_path: Path) -> None:
    refused = _at(tmp_path, "https://127.0.0.1:1")
    assert refused.observed == "the connection was refused"
    assert refused.next_step == f"kubectl --kubeconfig {tmp_path}/config --context ctx version"


def test_name_that_is_not_known(tmp_path: Path) -> None:
    assert _at(tmp_path, "https://no-such-cluster.invalid").observed == "its name is not known"


def test_something_that_hangs_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: listening.accept()[0].close())
        thread.start()
        refused = _at(tmp_path, f"http://127.0.0.1:{listening.getsockname()[1]}")
        thread.join()
    assert refused.observed.startswith("none: ")


def test_plain_http_where_tls_is_expected(serve: Serve, tmp_path: Path) -> None:
    _, kube = serve(lambda *_: (200, _SYSTEM))
    server = yaml.safe_load(kube.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    assert _at(tmp_path, server.replace("http:", "https:")).observed == "it does not speak TLS"


def test_authority_that_is_not_the_servers(tmp_path: Path) -> None:
    with _tls(tmp_path, issue(["localhost"])) as server:
        other = base64.b64encode(issue(["localhost"]).authority).decode()
        refused = _at(tmp_path, server, **{"certificate-authority-data": other})
    assert "not signed by the authority in the kubeconfig" in refused.observed


def test_certificate_for_another_name(tmp_path: Path) -> None:
    issued = issue(["elsewhere.example.com"])
    with _tls(tmp_path, issued) as server:
        refused = _at(tmp_path, server, **{"certificate-authority-data": base64.b64encode(issued.authority).decode()})
    assert refused.observed == "its certificate is for another name"


def test_authority_that_is_no_certificate(tmp_path: Path) -> None:
    with _tls(tmp_path, issue(["localhost"])) as server:
        refused = _at(tmp_path, server, **{"certificate-authority-data": base64.b64encode(b"nothing").decode()})
    assert refused.observed == "TLS failed"


def test_authority_file_that_is_not_there(tmp_path: Path) -> None:
    refused = _at(tmp_path, "https://127.0.0.1:1", **{"certificate-authority": "ca.pem"})
    assert "ca.pem" in refused.observed


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Connection to 10.0.0.1 timed out. (connect timeout=5.0)", "within 5 s"),
        ("Read timed out. (read timeout=30)", "did not answer within 30 s"),
        ("[Errno 113] No route to host", "no route"),
        ("certificate verify failed: certificate has expired", "not valid now"),
        ("Unable to connect to proxy", "the proxy"),
        ("SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLS failed"),
        ("something new", "none: something new"),
    ],
)
def test_signs_of_what_is_in_the_way(message: str, words: str) -> None:
    entry = Entry(Path("config"), "ctx", "c", "https://api", {})
    told = explained(KubeError("GET /", 0, message), entry)
    assert words in told.observed
    assert "\n" not in told.observed


def test_right_that_is_lacking() -> None:
    entry = Entry(Path("config"), "ctx", "c", "https://api", {})
    told = explained(KubeError("GET /api/v1/pods", 403, "pods is forbidden"), entry)
    assert told.expected == "the right to GET /api/v1/pods"
    assert told.next_step.endswith("auth can-i --list")


@contextmanager
def _tls(tmp_path: Path, issued: Issued) -> Iterator[str]:
    """A server that shows a certificate; who does not like it never gets to ask."""
    for name, content in (("tls.crt", issued.certificate), ("tls.key", issued.key)):
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")

    class Quiet(HTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # the handshake failed, which is what the test is about

        def get_request(self) -> tuple[Any, Any]:
            connection, address = super().get_request()
            return context.wrap_socket(connection, server_side=True), address

    server = Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
