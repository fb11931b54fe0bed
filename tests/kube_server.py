"""A tiny API server over real HTTP: enough of lists, watches and patches for tests of the client."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tools.kube.client import Kube

CONTEXT = "test"
# Given method, path, query and body: status and body, or status and a list of watch events.
Answer = Callable[[str, str, dict[str, str], Any], tuple[int, Any]]
# Starts a server that answers so, and gives it with a client of it.
Serve = Callable[[Answer], tuple["KubeServer", Kube]]


class KubeServer:
    """Answers as a function says; records what was asked.

    Attributes:
        asked: (method, path, query, content type) of every request.
    """

    def __init__(self, answer: Answer) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, answer))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def kubeconfig(self, directory: Path) -> Path:
        """A kubeconfig for it, whose current context leads elsewhere."""
        url = f"http://127.0.0.1:{self._server.server_port}"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "elsewhere",
            "clusters": [
                {"name": "test", "cluster": {"server": url}},
                {"name": "elsewhere", "cluster": {"server": "http://127.0.0.1:1"}},
            ],
            "users": [{"name": "user", "user": {"token": "secret"}}],
            "contexts": [
                {"name": CONTEXT, "context": {"cluster": "test", "user": "user"}},
                {"name": "elsewhere", "context": {"cluster": "elsewhere", "user": "user"}},
            ],
        }
        path = directory / "kubeconfig"
        path.write_text(yaml.safe_dump(content))
        return path

    def close(self) -> None:
        """Stop."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(server: KubeServer, answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Small answers at once, not after the client's delayed acknowledgement of the headers.
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.asked.append((self.command, parts.path, query, self.headers.get("Content-Type", "")))
            status, body = answer(self.command, parts.path, query, json.loads(raw) if raw else None)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in body if isinstance(body, list) else [body]:
                self._chunk(part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n")
            if isinstance(body, list):
                server.ended.wait(timeout=10)  # a watch stays open
            self._chunk(b"")

        def _chunk(self, data: bytes) -> None:
            with suppress(OSError):  # the client has gone
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            pass

    return Handler
