"""A client for one base URL: each call is one request, and its result is a Reply."""

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx

from tools.openai.reply import Reply, Request, Transport

# A simulated or small model answers in well under a second; what takes longer than this hangs.
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=10.0, pool=5.0)


class Client:
    """Requests below one base URL, without retries, redirects, proxies or cookies of the environment.

    Args:
        base_url: for example `http://203.0.113.7/NAMESPACE/NAME`.
        model: what `model` in bodies says.
        user_agent: sent with every request, so that access logs can be read by case.
        timeout: of each phase of a request.
    """

    def __init__(self, base_url: str, model: str, user_agent: str, *, timeout: httpx.Timeout = TIMEOUT) -> None:
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.user_agent = user_agent
        # Connections are not kept: each request is routed on its own, as from different clients.
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"User-Agent": user_agent}
        self._http = httpx.Client(timeout=timeout, limits=limits, headers=headers, trust_env=False)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def complete(
        self, prompt: str = "The gate opens", *, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> Reply:
        """POST /v1/completions; `fields` go into the body."""
        body = {"model": self.model, "prompt": prompt, "max_tokens": 8} | fields
        return self.post("/v1/completions", body, headers)

    def chat(self, content: str = "Say a word.", **fields: Any) -> Reply:
        """POST /v1/chat/completions with one user message."""
        message = {"role": "user", "content": content}
        return self.post("/v1/chat/completions", {"model": self.model, "messages": [message], "max_tokens": 8} | fields)

    def models(self) -> Reply:
        """GET /v1/models."""
        return self.get("/v1/models")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """GET a path below the base URL."""
        return self.send(Request("GET", self.base_url + path, dict(headers or {})))

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """POST a JSON body to a path below the base URL."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.send(Request("POST", self.base_url + path, sent, json.dumps(body)))

    def send(self, request: Request) -> Reply:
        """Send any request, once."""
        started = time.monotonic()
        try:
            answer = self._http.request(
                request.method, request.url, headers=dict(request.headers), content=request.body or None
            )
        except httpx.TransportError as error:
            return Reply(request, _transport(error), seconds=time.monotonic() - started, problem=_words(error))
        seconds = time.monotonic() - started
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(request, Transport.COMPLETE, answer.status_code, headers, answer.text, seconds)


def _transport(error: httpx.TransportError) -> Transport:
    if isinstance(error, httpx.TimeoutException):
        return Transport.DROPPED
    if isinstance(error, httpx.ConnectError):
        return Transport.REFUSED if "refused" in str(error).lower() else Transport.UNREACHABLE
    return Transport.RESET


def _words(error: httpx.TransportError) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")
