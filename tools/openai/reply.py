"""What came back for a request, whatever it was: never a bare exception, never a retried request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.openai import curl
from tools.openai.curl import Via
from tools.probe.verdict import Verdict
from tools.secret import Secret


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes:
        method, url: where.
        headers: those that matter to routing; without the client's defaults. Values of secret ones are never shown.
        body: JSON text, or empty.
        id: `X-Request-Id` as it was sent; empty before it was.
        via: what the client added.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: str = ""
    id: str = ""
    via: Via = field(default_factory=Via)

    def __post_init__(self) -> None:
        hidden = {name: Secret(value) if curl.is_secret(name) else value for name, value in self.headers.items()}
        object.__setattr__(self, "headers", hidden)

    @property
    def curl(self) -> str:
        """The same request as a command to copy, with `$TOKEN` for the token."""
        return curl.command(self.method, self.url, self.headers, self.body, self.via)


@dataclass(frozen=True)
class Reply:
    """An answer, or why there was none.

    Attributes:
        request: what was asked; secrets are not in it any more.
        verdict: how the exchange ended.
        status: HTTP status; 0 without a whole answer.
        headers: of the response, names in lower case.
        body: text; of a stream, all that came.
        seconds: from the request's start to its end.
        problem: what went wrong below HTTP, in the words of who saw it.
    """

    request: Request
    verdict: Verdict
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0
    problem: str = ""

    @property
    def json(self) -> Any:
        """The body decoded; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def summary(self) -> str:
        """One line: status, server, body, time, and the id to look for in access logs."""
        asked = f", request {self.request.id}" if self.request.id else ""
        if self.verdict is not Verdict.HTTP:
            return f"{self.verdict}: {self.verdict.words} after {self.seconds:.1f} s ({self.problem}){asked}"
        # A gateway at the edge of a mesh may put its own in the place of what a client says.
        other = self.headers.get("x-request-id", self.request.id)
        asked += f" (answered as {other})" if other != self.request.id else ""
        server = self.headers.get("server", "not named")
        body = self.body.strip()
        shown = f"body {body[:300]!r}" if body else "empty body"
        return f"HTTP {self.status}, server {server}, {shown}, after {self.seconds:.2f} s{asked}"
