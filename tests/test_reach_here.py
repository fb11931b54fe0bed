"""This machine as a place outside: real sockets, and a verdict for each way that a connection ends."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tools.netpolicy.world import Address
from tools.probe.verdict import Verdict
from tools.reach.cells import Target, What
from tools.reach.here import HereSource, here, in_a_pod

SOURCE = HereSource("127.0.0.1")


def target(port: int, protocol: str = "TCP") -> Target:
    return Target(What.BALANCER, "127.0.0.1", port, "it", ((Address("127.0.0.1"), port),), protocol)


@pytest.fixture
def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue is full, so that the kernel drops what comes next."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        while True:
            client = stack.enter_context(socket.socket())
            client.settimeout(0.2)
            try:
                client.connect(server.getsockname())
            except TimeoutError:
                break
        yield int(server.getsockname()[1])


def test_verdicts_by_how_connections_end(free: int, full: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listening = target(server.getsockname()[1])
        found = SOURCE.ask([listening, target(free), target(full), target(53, "UDP")], 300)
    assert found == {
        listening: Verdict.ALLOWED,
        target(free): Verdict.REFUSED,
        target(full): Verdict.DROPPED,
        target(53, "UDP"): Verdict.PROBE_FAILED,
    }


def test_nothing_is_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        SOURCE.ask([target(server.getsockname()[1])], 300)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1) == b""


def test_a_place_to_which_no_way_leads_is_unreachable() -> None:
    nowhere = Target(What.BALANCER, "255.255.255.255", 80, "it", ())
    assert SOURCE.ask([nowhere], 300) == {nowhere: Verdict.UNREACHABLE}


def test_it_is_known_by_the_address_of_the_way_there() -> None:
    assert here("127.0.0.1", {}) == HereSource("127.0.0.1")
    assert here("127.0.0.1", {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}) is None
    assert [in_a_pod({}), in_a_pod({"KUBERNETES_SERVICE_HOST": "10.96.0.1"})] == [False, True]
