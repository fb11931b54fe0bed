"""Ports of pods through the API server, against a real server."""

import gc
from pathlib import Path

from tests.websocket_server import forwarding
from tools.kube.port_forward import get_from_pod

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


def test_nothing_stays_open_when_the_server_closes_first(tmp_path: Path) -> None:
    before = _sockets()
    with forwarding(8000, _ANSWER, tmp_path) as kube:
        reply = get_from_pod(kube, "ns", "pod", 8000, "/health")
    assert (reply.status, reply.body) == (200, "hello")
    # What the library left open would be closed here, with a ResourceWarning, which is an error.
    gc.collect()
    assert _sockets() <= before


def _sockets() -> set[str]:
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(each.readlink()))
        except FileNotFoundError:
            continue
    return {each for each in found if each.startswith("socket:")}
