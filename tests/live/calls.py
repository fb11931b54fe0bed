"""Listens on the host's link to a cluster for what comes out of it and is no answer."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_IPV4 = 0x0800
_TCP, _SYN, _ACK = 6, 0x02, 0x10


@contextmanager
def calls_of(link: str) -> Iterator[list[str]]:
    """Every packet that came over a link to this host and began something, as a line; complete when it is left.

    Answers to what this host began are TCP that is no first SYN; the host begins nothing by other protocols.
    """
    calls: list[str] = []
    seen = 0
    ended = threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4)) as wire:
        wire.bind((link, _IPV4))

        def listen() -> None:
            nonlocal seen
            while select.select([wire], [], [], 0.2)[0] or not ended.is_set():
                if not select.select([wire], [], [], 0)[0]:
                    continue
                packet, address = wire.recvfrom(65535)
                seen += 1
                if address[2] != socket.PACKET_OUTGOING and (line := call_in(packet)):
                    calls.append(line)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield calls
        finally:
            ended.set()
            thread.join()
    assert seen, f"nothing at all was heard on {link}: the instrument does not work"


def call_in(packet: bytes) -> str:
    """What an IPv4 packet begins, as a line; empty if it is an answer."""
    protocol, payload = packet[9], packet[(packet[0] & 15) * 4 :]
    ends = f"{socket.inet_ntoa(packet[12:16])} to {socket.inet_ntoa(packet[16:20])}"
    if protocol == _TCP and len(payload) > 13 and payload[13] & (_SYN | _ACK) != _SYN:
        return ""
    return f"protocol {protocol}: {ends}"
