"""What stands for the world outside of a local cluster, and how a run learns of it."""

import socket
import subprocess
import sys

import pytest

from tests.kube_server import Serve
from tests.live.calls import call_in
from tools.cluster.local.addresses import choose
from tools.cluster.local.outside import standin_of
from tools.explain import check
from tools.kube.doors import Door, Outside, outside_of
from tools.kube.errors import KubeError
from tools.waiting.eventually import eventually

PLAN = choose([])


def test_a_local_cluster_tells_of_its_stand_ins(serve: Serve) -> None:
    _, kube = serve(lambda *_: (200, standin_of(PLAN)))
    found = outside_of(kube)
    assert found == Outside(Door(str(PLAN.internet), 443), Door("169.254.169.254", 80), Door(str(PLAN.silent), 443))


@pytest.mark.parametrize("status", [404, 403])
def test_without_stand_ins_nothing_is_knocked_at(serve: Serve, status: int) -> None:
    _, kube = serve(lambda *_: (status, {"message": "no"}))
    found = outside_of(kube)
    assert (found.internet, found.metadata) == (None, None)
    assert found.silent.address == "192.0.2.1"


def test_a_broken_api_server_is_no_answer(serve: Serve) -> None:
    _, kube = serve(lambda *_: (500, {"message": "no"}))
    with pytest.raises(KubeError):
        outside_of(kube)


@pytest.mark.parametrize(
    ("protocol", "flags", "begins"), [(6, 0x02, True), (6, 0x12, False), (6, 0x10, False), (17, 0, True)]
)
def test_a_packet_that_begins_something_is_told_from_an_answer(protocol: int, flags: int, begins: bool) -> None:
    ends = socket.inet_aton("10.200.0.12") + socket.inet_aton("192.0.2.9")
    packet = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0]) + ends + bytes(13) + bytes([flags]) + bytes(6)
    assert bool(call_in(packet)) is begins


def test_doors_let_in_and_say_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tools.cluster.local.outside", f"127.0.0.1:{port}"]
    with subprocess.Popen(command) as process:
        said: list[bytes] = []

        def knock() -> None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as door:
                    said.append(door.recv(1))
            except ConnectionRefusedError as error:
                check(False, "a door to be open", str(error))

        try:
            eventually("a door to be open", knock, budget=20, in_a_row=1)
        finally:
            process.terminate()
    assert said == [b""]
