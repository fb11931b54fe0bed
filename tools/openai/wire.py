"""Requests of which the way counts, and not only the answer: protocol, connections, when parts arrive."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tools.openai.client import Client, phases, trust
from tools.openai.connection import Connection

_NAME = "llmisvc-conformance (wire)"


@dataclass(frozen=True)
class Part:
    """What one read of an answer brought.

    Attributes:
        at: seconds since the request was sent.
        text: what came.
    """

    at: float
    text: str


@dataclass(frozen=True)
class Seen:
    """An answer, with how it came.

    Attributes:
        status: HTTP status; 0 if none came.
        version: of HTTP, for example `HTTP/2`.
        headers: names in lower case.
        parts: of the body, in order.
        local: the client's end of the connection, by which connections are told apart.
        problem: what went wrong below HTTP; empty if nothing did.
    """

    status: int = 0
    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    local: str = ""
    problem: str = ""

    @property
    def text(self) -> str:
        """The whole body."""
        return "".join(part.text for part in self.parts)

    @property
    def summary(self) -> str:
        """One line."""
        if self.problem:
            return f"no whole answer ({self.problem})"
        server = self.headers.get("server", "not named")
        return f"{self.version} {self.status}, server {server}, body {self.text[:200]!r}"


class Wire:
    """Requests to one base URL over connections that are kept, without retries; to be closed.

    Args:
        connection: the way to the service.
        url: the base URL.
        http2: HTTP/2 only: by ALPN for https, unasked (prior knowledge) for http.
    """

    def __init__(self, connection: Connection, url: str, *, http2: bool = False) -> None:
        self._model, self.url = connection.model, url.rstrip("/")
        self._host = connection.host
        headers = {"User-Agent": _NAME} | ({"Host": connection.host} if connection.host else {})
        if connection.token:
            headers["Authorization"] = f"Bearer {connection.token}"
        self._http = httpx.Client(
            http1=not http2,
            http2=http2,
            headers=headers,
            timeout=phases(),
            verify=trust(connection.ca_file),
            proxy=connection.proxy or None,
            trust_env=False,
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def complete(self, headers: Mapping[str, str] | None = None, **fields: Any) -> Seen:
        """POST /v1/completions."""
        body = {"model": self._model, "prompt": "The gate opens", "max_tokens": 4} | fields
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.send("POST", "/v1/completions", sent, json.dumps(body))

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Seen:
        """One request."""
        started = time.monotonic()
        names = {"sni_hostname": self._host.partition(":")[0]} if self._host else {}
        try:
            with self._http.stream(
                method, self.url + path, headers=dict(headers or {}), content=body or None, extensions=names
            ) as answer:
                stream = answer.extensions.get("network_stream")
                local = stream.get_extra_info("client_addr") if stream else ""
                parts = tuple(
                    Part(time.monotonic() - started, chunk.decode(errors="replace")) for chunk in answer.iter_raw()
                )
                got = {name.lower(): value for name, value in answer.headers.items()}
                return Seen(answer.status_code, answer.http_version, got, parts, str(local))
        except httpx.RequestError as error:
            return Seen(problem=f"{type(error).__name__}: {error}")


def curl(client: Client, *options: str) -> str:
    """The command to look at the same by hand."""
    return " ".join(["curl -sv", *options, f"{client.base_url}/v1/models"])
