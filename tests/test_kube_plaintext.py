"""What the API server's way into pods says of the pod, and what it says of itself."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.errors import KubeError
from tools.kube.plaintext import Answer, ask, read
from tools.probe.verdict import Verdict

POD = {"metadata": {"name": "server", "namespace": "ns"}}
DIAL = "error trying to reach service: dial tcp 10.0.0.1:8000: "


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("error trying to reach service: read tcp 10.0.0.2:4->10.0.0.1:8000: read: connection reset by peer", "RESET"),
        ("error trying to reach service: EOF", "RESET"),
        (f"{DIAL}connect: connection refused", "REFUSED"),
        (f"{DIAL}i/o timeout", "DROPPED"),
        (f"{DIAL}connect: no route to host", "UNREACHABLE"),
        ("error trying to reach service: something new", "PROBE_FAILED"),
    ],
)
def test_how_a_connection_ended(message: str, verdict: str) -> None:
    found = read(KubeError("GET x", 503, message))
    assert (found.verdict, found.status) == (Verdict(verdict), 0)


def test_an_answer_of_the_pod_is_its_own() -> None:
    assert read(KubeError("GET x", 403, "RBAC: access denied")) == Answer(Verdict.HTTP, 403, "RBAC: access denied")
    assert read(KubeError("GET x", 503, "upstream connect error")).status == 503


@pytest.mark.parametrize(
    ("status", "message"),
    [(0, "connection refused"), (403, 'pods "server" is forbidden: User "u" cannot get resource "pods/proxy"')],
)
def test_what_the_api_server_says_of_itself_is_no_answer(status: int, message: str) -> None:
    with pytest.raises(KubeError, match="GET x"):
        read(KubeError("GET x", status, message))


def test_a_pod_is_asked_at_its_port(serve: Serve) -> None:
    asked: list[str] = []

    def answer(_: str, path: str, __: dict[str, str], ___: Any) -> tuple[int, Any]:
        asked.append(path)
        return 200, {"status": "ok"}

    _, kube = serve(answer)
    found = ask(kube, POD, 8000, "/health")
    assert asked == ["/api/v1/namespaces/ns/pods/server:8000/proxy/health"]
    assert (found.verdict, found.status, "ok" in found.said) == (Verdict.HTTP, 200, True)
    assert found.summary == "answered 200"
