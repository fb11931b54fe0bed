"""One request, sent by aiohttp, as a record: no retry, no redirect, no connection kept from the one before."""

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tools.load.answer import Answer
from tools.load.record import ErrorKind, RequestRecord, judged
from tools.openai.client import REQUEST_ID, trust
from tools.openai.connection import Connection
from tools.openai.curl import Via
from tools.openai.reply import Request
from tools.waiting.timeouts import seconds

_PATH = "/v1/completions"


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        body: fields of the completion beside `model`.
        streamed: whether a stream is asked for.
    """

    body: Mapping[str, Any] = field(default_factory=lambda: {"prompt": "The gate opens", "max_tokens": 4})
    streamed: bool = False


class Transport:
    """Sends requests to one base URL; to be used inside one event loop, and closed there.

    Args:
        connection: the way to the service.
        url: the base URL.
        user_agent: sent with every request, and its id behind it, so that an access log can be read by them.
    """

    def __init__(self, connection: Connection, url: str, user_agent: str) -> None:
        self._connection, self._url, self._agent = connection, url.rstrip("/"), user_agent
        self._via = Via(connection.token is not None, str(connection.ca_file or ""), connection.host)
        self._session = aiohttp.ClientSession(
            # Connections are not kept: each request is routed on its own, as from different clients.
            connector=aiohttp.TCPConnector(limit=0, force_close=True, ssl=trust(connection.ca_file)),
            timeout=aiohttp.ClientTimeout(
                total=seconds("request-whole"),
                sock_connect=seconds("request-connect"),
                sock_read=seconds("request-read"),
            ),
            auto_decompress=False,
        )

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()

    async def ask(self, question: Question, intended_ns: int) -> RequestRecord:
        """Send one request, at once, and read its answer to the end, whatever that is."""
        identity = str(uuid.uuid4())
        # A gateway at the edge gives requests ids of its own; what a client calls itself stays in its access log.
        shown = {"Content-Type": "application/json", "User-Agent": f"{self._agent} {identity}"}
        body = json.dumps({"model": self._connection.model, **question.body, "stream": question.streamed})
        request = Request("POST", self._url + _PATH, shown, body, identity, self._via)
        took = _Taking(request, question.streamed, intended_ns)
        try:
            async with self._session.post(
                request.url,
                data=body.encode(),
                headers=self._headers(shown, request.id),
                allow_redirects=False,
                proxy=self._connection.proxy or None,
                server_hostname=self._connection.host.partition(":")[0] or None,
            ) as answer:
                took.began(answer.status, {name.lower(): value for name, value in answer.headers.items()})
                async for piece in answer.content.iter_any():
                    took.came(piece)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return took.broken(error)
        return took.ended()

    def _headers(self, shown: Mapping[str, str], identity: str) -> dict[str, str]:
        headers = {**shown, REQUEST_ID: identity}
        headers |= {"Host": self._connection.host} if self._connection.host else {}
        if self._connection.token is not None:
            headers["Authorization"] = f"Bearer {self._connection.token}"
        return headers


class _Taking:
    """A record in the making."""

    def __init__(self, request: Request, streamed: bool, intended_ns: int) -> None:
        self._request, self._streamed, self._intended = request, streamed, intended_ns
        self._sent = time.monotonic_ns()
        self._answer = Answer(streamed=streamed)
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._headers_ns: int | None = None
        self._first: int | None = None
        self._last: int | None = None

    def began(self, status: int, headers: Mapping[str, str]) -> None:
        self._status, self._headers, self._headers_ns = status, headers, time.monotonic_ns()

    def came(self, piece: bytes) -> None:
        if self._answer.feed(piece):
            self._last = time.monotonic_ns()
            self._first = self._first or self._last

    def ended(self) -> RequestRecord:
        self._answer.end()
        kind = judged(
            self._status,
            whole=self._answer.whole,
            finish_reason=self._answer.finish_reason,
            in_band=self._answer.in_band,
        )
        return self._record(kind, "")

    def broken(self, error: Exception) -> RequestRecord:
        self._answer.end()
        # The server closes what it has ended: a stream whose [DONE] came is whole.
        if self._answer.whole and self._answer.finish_reason and self._status == 200:
            return self._record(ErrorKind.NONE, "")
        words = f"{type(error).__name__}: {error}".removesuffix(": ")
        return self._record(_kind(error, self._status), words)

    def _record(self, kind: ErrorKind, problem: str) -> RequestRecord:
        return RequestRecord(
            self._request,
            self._streamed,
            self._intended,
            self._sent,
            time.monotonic_ns(),
            self._headers_ns,
            self._first,
            self._last,
            self._status,
            self._headers,
            self._answer.text,
            self._answer.tokens,
            self._answer.finish_reason,
            kind,
            problem,
        )


def _kind(error: Exception, status: int) -> ErrorKind:
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return ErrorKind.TIMEOUT
    if status == 200:
        return ErrorKind.TRUNCATED
    if isinstance(error, aiohttp.ClientConnectorError):
        return ErrorKind.CONNECT
    if isinstance(error, aiohttp.InvalidURL):
        return ErrorKind.UNTOLD
    return ErrorKind.HTTP if status else ErrorKind.RESET
