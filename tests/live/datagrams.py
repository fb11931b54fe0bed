"""A stream of datagrams that is judged packet by packet: what is never answered stays new to connection tracking."""

import select
import socket
import threading
import time
from dataclasses import dataclass, field

from tests.stack.wires import Namespace

_EVERY_SECONDS = 0.0005


@dataclass
class Stream:
    """Datagrams from one namespace to an address of another, from `start` to `stop`.

    Attributes:
        sent: how many.
        arrived: `time.monotonic()` of each that arrived.
    """

    source: Namespace
    target: Namespace
    port: int
    sent: int = 0
    arrived: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Begin."""
        with self.target.entered():
            self._server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._server.bind((self.target.addresses[0], self.port))
        with self.source.entered():
            self._client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End, when all that is still on its way has arrived."""
        self._ended.set()
        for each in self._threads:
            each.join()
        self._server.close()
        self._client.close()

    def _send(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            self._client.sendto(b".", (self.target.addresses[0], self.port))
            self.sent += 1

    def _receive(self) -> None:
        while True:
            ended = self._ended.is_set()
            readable, _, _ = select.select([self._server], [], [], 0.05)
            if readable:
                self._server.recv(16)
                self.arrived.append(time.monotonic())
            elif ended:
                return
