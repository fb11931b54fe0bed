"""What came back for a request, whatever it was: never a bare exception, never a retried request."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Transport(StrEnum):
    """How the exchange ended below HTTP."""

    COMPLETE = "complete"
    DROPPED = "no answer in time"
    REFUSED = "connection refused"
    RESET = "connection reset"
    UNREACHABLE = "no way there"


@dataclass(frozen=True)
class Request:
    """A request as it was sent.

    Attributes:
        method, url: where.
        headers: those that matter to routing; without the client's defaults.
        body: JSON text, or empty.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: str = ""

    @property
    def curl(self) -> str:
        """The same request as a command to copy."""
        words = ["curl", "-sS", "-i", "-N", "-X", self.method, self.url]
        for name, value in self.headers.items():
            words += ["-H", f"{name}: {value}"]
        return shlex.join([*words, *(["-d", self.body] if self.body else [])])


@dataclass(frozen=True)
class Reply:
    """An answer, or why there was none.

    Attributes:
        request: what was asked.
        transport: how the exchange ended.
        status: HTTP status; 0 without one.
        headers: of the response, names in lower case.
        body: text; of a stream, all that came.
        seconds: from the request's start to its end.
        problem: the transport's own words when it did not end well.
    """

    request: Request
    transport: Transport
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
        """One line: status, server, body."""
        if self.transport is not Transport.COMPLETE:
            return f"{self.transport} after {self.seconds:.1f} s ({self.problem})"
        server = self.headers.get("server", "not named")
        body = self.body.strip()
        shown = f"body {body[:300]!r}" if body else "empty body"
        return f"HTTP {self.status}, server {server}, {shown}, after {self.seconds:.2f} s"
