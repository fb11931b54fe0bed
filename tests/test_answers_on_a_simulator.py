"""Cases about the server's answers pass on a simulator, and fail on it with their own words under each of its faults.

Without a cluster: clients ask the simulator itself, where there are a gateway and a pod on a real one.
"""

import http.client
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from suites.metrics import test_server_metrics, test_truth
from suites.server import (
    inside,
    test_completions,
    test_engine,
    test_forms,
    test_parameters,
    test_refusals,
    test_sdk,
    test_streaming,
)
from tests.test_simulator_process import simulator
from tools.cases.case import proofs_of
from tools.faults import server as faults
from tools.faults.fault import Proof
from tools.kube.errors import KubeError
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import PodReply
from tools.metrics import scrape
from tools.metrics.exposition import Exposition
from tools.openai.chunked import pieces
from tools.openai.connection import Connection
from tools.openai.sdk import sdk
from tools.profile import load_profile
from tools.simulator import admin

MODULES = (
    test_completions,
    test_engine,
    test_forms,
    test_parameters,
    test_refusals,
    test_sdk,
    test_server_metrics,
    test_streaming,
    test_truth,
)
MODEL = "google/gemma-2b-it"
POD = "gemma-0"
# What it waits for under the fault is ten seconds of silence; once is enough.
LONG = {("server-refuses-bad-requests", "engine_hangs")}
Case = Callable[..., None]


class Alone(LlmService):
    """A service of one pod, which is the simulator."""

    def servers(self) -> list[dict[str, Any]]:
        """The pod."""
        return [{"metadata": {"name": POD}}]

    pods = servers


def _marks(case: Case) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], case.pytestmark[0].kwargs)  # type: ignore[attr-defined]


def _cases(module: ModuleType) -> Iterator[Case]:
    return (each for name, each in vars(module).items() if name.startswith("test_") and hasattr(each, "pytestmark"))


CASES = {_marks(case)["name"]: case for module in MODULES for case in _cases(module)}
PROOFS = [
    pytest.param(case, proof, id=f"{name}-{proof.fault.name}")
    for name, case in CASES.items()
    for proof in proofs_of(_marks(case))
    if proof.fault.inject.__module__ == faults.__name__ and (name, proof.fault.name) not in LONG
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A simulator's URL, and the socket of its switches."""
    socket = tmp_path_factory.mktemp("simulator") / "admin"
    names = ["--model", MODEL, "--max-model-len", "2048", "--admin-socket", str(socket)]
    with simulator(*names, env={"POD_NAME": POD, "PATH": "/usr/bin:/bin"}) as (_, url, _):
        yield url, socket


@pytest.fixture
def run(server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[Case], str]:
    """Runs a case on the simulator; what its failure says, or nothing."""
    url, socket = server
    connection = Connection(MODEL)
    service = Alone(cast(Any, None), "ns", "gemma", cast(Any, None), connection=connection)
    monkeypatch.setattr(inside, "_ask", _asker(url))
    monkeypatch.setattr(faults, "run_in_pod", lambda *given, **_: _switch(socket, given[3]))
    monkeypatch.setattr(scrape, "servers", lambda _: {POD: Exposition(urlopen(f"{url}/metrics").read().decode())})
    monkeypatch.setattr(LlmService, "kubectl", lambda _, *words: " ".join(["kubectl", *words]))
    known: dict[str, Any] = {"service": service, "profile": load_profile("local-gpu"), "record": lambda *_: None}

    def ran(case: Case) -> str:
        client = connection.client(url, "a test")
        try:
            with ExitStack() as every:
                given = known | {"client": client}
                if "openai" in inspect.signature(case).parameters:
                    given["openai"] = every.enter_context(sdk(connection, url, "a test"))
                case(**{name: given[name] for name in inspect.signature(case).parameters})
        except (AssertionError, KubeError) as error:
            return str(error)
        finally:
            client.close()
        return ""

    ran.__dict__["service"] = service
    return ran


@pytest.mark.parametrize("name", CASES)
def test_a_case_passes(name: str, run: Callable[[Case], str]) -> None:
    assert run(CASES[name]) == ""


@pytest.mark.parametrize(("case", "proof"), PROOFS)
def test_a_case_fails_under_its_fault(case: Case, proof: Proof, run: Callable[[Case], str]) -> None:
    with proof.fault(run.__dict__["service"]):
        failure = run(case)
    assert [words for words in proof.words if words not in failure] == [], failure


def _switch(socket: Path, command: Sequence[str]) -> str:
    told = admin.ask(str(socket), " ".join(command[-2:]))
    return "\n".join(map(str, cast(list[str], told["active"])))


def _asker(url: str) -> Callable[..., PodReply]:
    """What asks the simulator in the place of a forwarded port."""
    parts = urlsplit(url)

    def ask(
        _service: object,
        _pod: object,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: str | None,
        within: float,
    ) -> PodReply:
        chunked = "Transfer-Encoding" in headers
        content = None if body is None else pieces(body) if chunked else body.encode()
        with _connected(str(parts.hostname), int(parts.port or 80), within) as connection:
            connection.request(method, path, content, dict(headers), encode_chunked=chunked)
            answer = connection.getresponse()
            text = answer.read().decode()
        return PodReply(path, answer.status, {key.lower(): value for key, value in answer.getheaders()}, text)

    return ask


@contextmanager
def _connected(host: str, port: int, seconds: float) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        yield connection
    except (OSError, http.client.HTTPException) as error:
        raise KubeError("the simulator", 0, f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
