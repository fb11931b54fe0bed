"""A machine's init: it answers, notes deaths, and outlives clients that do not behave."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.cluster.local.machine import read_deaths
from tools.cluster.local.machine_spec import MachineSpec, ask
from tools.paths import CHECKOUT

_SERVE = "import sys; from pathlib import Path; from tools.cluster.local.machine_init import Init, MachineSpec"
_SERVE += "; Init(MachineSpec.load(Path(sys.argv[1]))).serve()"


@pytest.fixture
def spec(tmp_path: Path) -> Iterator[MachineSpec]:
    """An init without namespaces: what it does with its socket and children needs none."""
    deep = tmp_path / ("long-" * 15)  # a socket's whole path would not fit
    deep.mkdir()
    spec = MachineSpec("m", str(deep), str(tmp_path), "unused")
    spec.save(deep / "machine.json")
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(deep / "machine.json")], cwd=CHECKOUT)
    _until(spec.socket.exists)
    yield spec
    process.terminate()
    process.wait(10)


def test_starts_lists_and_stops(spec: MachineSpec) -> None:
    ask(spec.socket, {"do": "start", "name": "sleeper", "command": ["sleep", "60"], "environment": dict(os.environ)})
    assert list(ask(spec.socket, {"do": "list"})["running"]) == ["sleeper"]
    ask(spec.socket, {"do": "stop", "name": "sleeper"})
    _until(lambda: not ask(spec.socket, {"do": "list"})["running"])
    assert read_deaths(spec) == []  # it was asked to


def test_an_end_that_nobody_asked_for_is_a_death(spec: MachineSpec) -> None:
    ask(spec.socket, {"do": "start", "name": "x", "command": ["sh", "-c", "exit 3"], "environment": dict(os.environ)})
    _until(lambda: bool(read_deaths(spec)))
    (death,) = read_deaths(spec)
    assert (death.component, death.status, death.log) == ("x", 3, Path(spec.logs) / "x.log")


@pytest.mark.parametrize("request_", ["", "[1]\n", "{}\n", "nonsense\n"])
def test_a_client_that_hangs_up_or_talks_nonsense_does_not_end_it(spec: MachineSpec, request_: str) -> None:
    directory = os.open(spec.directory, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/self/fd/{directory}/{spec.socket.name}")
        connection.sendall(request_.encode())
    os.close(directory)
    assert ask(spec.socket, {"do": "list"})["running"] == {}


def test_a_program_that_is_not_there_is_told(spec: MachineSpec) -> None:
    answer = ask(spec.socket, {"do": "start", "name": "x", "command": ["/no/such"], "environment": {}})
    assert "FileNotFoundError" in json.dumps(answer)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.02)
