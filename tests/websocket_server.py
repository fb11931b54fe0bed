"""A tiny API server that forwards one port of a pod over a WebSocket, and may be the first to close."""

import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tools.kube.client import Kube

# RFC 6455, section 1.3.
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_BINARY, _CLOSE = 0x82, 0x88
_DATA, _ERROR = b"\x00", b"\x01"


@contextmanager
def forwarding(port: int, answer: bytes, directory: Path) -> Iterator[Kube]:
    """A client of a server behind whose port a pod answers once, after which the server closes first.

    Args:
        port: of the pod.
        answer: what the pod sends when anything has come to it.
        directory: for the kubeconfig.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, port, answer))
        thread.start()
        yield Kube(_kubeconfig(listener.getsockname()[1], directory), "test")
        thread.join()


def _serve(listener: socket.socket, port: int, answer: bytes) -> None:
    connection, _ = listener.accept()
    connection.settimeout(5)
    with connection, connection.makefile("rb") as received:
        lines = iter(received.readline, b"\r\n")
        key = next(line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"sec-websocket-key"))
        for _ in lines:
            pass
        accept = base64.b64encode(hashlib.sha1(key + _GUID.encode()).digest()).decode()
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        head += ["Sec-WebSocket-Protocol: v4.channel.k8s.io", f"Sec-WebSocket-Accept: {accept}", "", ""]
        connection.sendall("\r\n".join(head).encode())
        for channel in (_DATA, _ERROR):
            connection.sendall(_frame(_BINARY, channel + port.to_bytes(2, "little")))
        received.read(1)
        connection.sendall(_frame(_BINARY, _DATA + answer) + _frame(_CLOSE, (1000).to_bytes(2, "big")))
        while received.read1():
            pass


def _frame(kind: int, payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes((kind, len(payload))) + payload


def _kubeconfig(port: int, directory: Path) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "user", "user": {"token": "secret"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
    }
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path
