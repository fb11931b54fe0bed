"""Connections from inside of a network namespace of this machine, by the real agnhost, as the proxy's user."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.stack.wires import Namespace
from tools.cluster.local import preflight
from tools.netpolicy.world import Address
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import Target, What
from tools.reach.netns import NetworkSource
from tools.stack import locate_stack

_HERE = Address("127.0.0.1")


def target(port: int) -> Target:
    return Target(What.SERVER, "127.0.0.1", port, "it", ((_HERE, port),))


@contextmanager
def network() -> Iterator[int]:
    """A process in a network of its own, which has nothing but itself."""
    preflight.require_root()
    command = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def pid() -> Iterator[int]:
    with network() as found:
        yield found


def source(pid: int) -> NetworkSource:
    return NetworkSource("it", _HERE, pid, str(locate_stack().bin("agnhost")))


@contextmanager
def inside(pid: int) -> Iterator[None]:
    space = Namespace(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC), ())
    try:
        with space.entered():
            yield
    finally:
        os.close(space.descriptor)


def test_connections_come_from_inside_and_end_as_agnhost_says(pid: int) -> None:
    with ExitStack() as stack:
        with inside(pid):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(4):  # one more than the queue takes is dropped
                client = stack.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(full.getsockname())
        there, dropped, nobody = target(listening.getsockname()[1]), target(full.getsockname()[1]), target(1)
        assert source(pid).ask([there, dropped, nobody], 300) == {
            there: Verdict.ALLOWED,
            dropped: Verdict.DROPPED,
            nobody: Verdict.REFUSED,
        }
        # The same address of this machine is another place.
        assert source(0).ask([nobody], 300) == {nobody: Verdict.REFUSED}
        with network() as other:
            assert source(other).ask([there], 300) == {there: Verdict.REFUSED}


def test_commands_run_as_the_proxys_user_with_nothing_of_this_environment(pid: int) -> None:
    words = source(pid).run("id -u; id -g; env | sed 's/=.*//' | sort | tr '\\n' ' '").split()
    assert words[:2] == ["1337", "1337"]
    assert set(words[2:]) <= {"A", "PATH", "PWD", "SHLVL", "_"}


def test_what_cannot_be_run_is_no_denial(pid: int) -> None:
    with pytest.raises(ProbeFailed, match="exit status 3: words"):
        source(pid).run("echo words >&2; exit 3")
    with network() as gone:
        pass
    with pytest.raises(ProbeFailed, match="exit status"):
        source(gone).run("true")
    with pytest.raises(ProbeFailed, match="No such file"):
        NetworkSource("it", _HERE, pid, "/no/such/agnhost").run("true")
