"""Whole tables of connections between network namespaces, by sockets of one process: no prober has to be started.

Each round has a source port of its own: a reply path that connection tracking remembers from an earlier round would let
a packet through that no rule allows now.
"""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from tests.stack.wires import Namespace

# A SYN that is let through is answered before connect() returns, on an idle machine; its first repetition is after 1 s.
_DENIED_SECONDS = 0.05
_ALLOWED_SECONDS = 5.0
_FIRST_PORT = 20000
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, order=True)
class Cell:
    """One question: does `source`, with its address `origin`, reach `target` at `address` on this port."""

    source: str
    origin: str
    target: str
    address: str
    protocol: str
    port: int


class Prober:
    """Serves in every namespace, and asks from every namespace.

    Args:
        spaces: namespaces by name.
        served: protocol and port pairs that each serves.
        silent: names of those that only ask.
    """

    def __init__(
        self, spaces: Mapping[str, Namespace], served: Iterable[tuple[str, int]], silent: Iterable[str] = ()
    ) -> None:
        self._spaces, self._round = spaces, 0
        self._open = ExitStack()
        self._streams: list[socket.socket] = []
        self._datagrams: list[socket.socket] = []
        for space in (each for name, each in spaces.items() if name not in set(silent)):
            with space.entered():
                for protocol, port in served:
                    self._serve(protocol, port, space.addresses)

    def close(self) -> None:
        """End serving."""
        self._open.close()

    def ask(self, cells: Iterable[Cell], expected: Callable[[Cell], bool]) -> dict[Cell, bool]:
        """Whether each got through; told of what is expected only to know for how long to wait.

        What is expected to get through has seconds; when it has, the rest has had as long as that, and a moment more.
        """
        self._round += 1
        local = _FIRST_PORT + self._round
        begun = time.monotonic()
        with ExitStack() as sockets:
            asked = self._connect(sockets, list(cells), local)
            found = dict.fromkeys((cell for cell, _ in asked), False)
            awaited = {cell for cell in found if expected(cell)}
            grace = 0.0
            while True:
                self._turn(asked, found)
                now = time.monotonic()
                if all(found[cell] for cell in awaited):
                    grace = grace or now + max(_DENIED_SECONDS, now - begun)
                    if now > grace:
                        return found
                elif now > begun + _ALLOWED_SECONDS:
                    return found

    def _serve(self, protocol: str, port: int, addresses: tuple[str, ...]) -> None:
        if protocol == "TCP":
            server = self._open.enter_context(socket.create_server(("0.0.0.0", port), backlog=4096))
            server.setblocking(False)
            self._streams.append(server)
            return
        for address in addresses:  # so that an answer comes from where the question went
            server = self._open.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            server.bind((address, port))
            server.setblocking(False)
            self._datagrams.append(server)

    def _connect(self, sockets: ExitStack, cells: list[Cell], local: int) -> list[tuple[Cell, socket.socket]]:
        asked = []
        for source in sorted({cell.source for cell in cells}):
            with self._spaces[source].entered():
                for cell in (cell for cell in cells if cell.source == source):
                    kind = socket.SOCK_STREAM if cell.protocol == "TCP" else socket.SOCK_DGRAM
                    one = sockets.enter_context(socket.socket(socket.AF_INET, kind))
                    one.setblocking(False)
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if cell.protocol == "TCP":
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
                    one.bind((cell.origin, local))
                    with suppress(BlockingIOError):
                        one.connect((cell.address, cell.port))
                    if cell.protocol == "UDP":
                        one.send(b"?")
                    asked.append((cell, one))
        return asked

    def _turn(self, asked: list[tuple[Cell, socket.socket]], found: dict[Cell, bool]) -> None:
        poll = select.poll()
        by_number: dict[int, tuple[Cell | None, socket.socket]] = {}
        waiting = [(cell, one) for cell, one in asked if not found[cell]]
        for cell, one in waiting:
            poll.register(one, select.POLLOUT if cell.protocol == "TCP" else select.POLLIN)
            by_number[one.fileno()] = (cell, one)
        for one in [*self._streams, *self._datagrams]:
            poll.register(one, select.POLLIN)
            by_number[one.fileno()] = (None, one)
        for number, _ in poll.poll(5):
            of, one = by_number[number]
            if of is None:
                _answer(one)
            elif of.protocol == "UDP":
                found[of] = one.recv(16) == b"!"
            else:
                found[of] = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def _answer(server: socket.socket) -> None:
    with suppress(BlockingIOError):
        while True:
            if server.type == socket.SOCK_STREAM:
                server.accept()[0].close()
            else:
                _, peer = server.recvfrom(16)
                server.sendto(b"!", peer)


def differences(found: Mapping[Cell, bool], expected: Callable[[Cell], bool]) -> list[Any]:
    """Cells that are not as expected, each as a line."""
    return [
        f"{cell.source} ({cell.origin}) to {cell.target} {cell.protocol} {cell.port}: "
        f"{'let through' if got else 'dropped'}, expected {'let through' if expected(cell) else 'dropped'}"
        for cell, got in sorted(found.items())
        if got != expected(cell)
    ]
