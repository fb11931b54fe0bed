"""Where the events of a streamed answer go, as they should and as faults of a stream have it.

Of the faults of a stream one acts at a time: the first in _BROKEN that is on when the answer begins.
"""

from collections.abc import Mapping

from aiohttp import web

from tools.simulator.faults import Fault, Switchboard
from tools.simulator.misbehaviour import error_body
from tools.simulator.replies import DONE

CUT_AFTER = 2


class EventStream:
    """Server-sent events in a chunked body, each sent as it comes."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})

    async def open(self) -> None:
        """Send the headers: at once, long before the first token, as uvicorn does."""
        await self.response.prepare(self._request)

    async def write(self, event: bytes) -> None:
        """Send an event.

        Raises:
            ConnectionResetError: the client has gone, or the stream ends here.
        """
        await self.response.write(event)

    async def end(self, usage: bytes) -> None:
        """Send what comes after the last token: usage, which may be empty, and the end mark."""
        await self.response.write(usage + DONE)


class _Cut(EventStream):
    """Closes the connection in the middle, or at the latest before the end mark; the body has no last chunk then."""

    _sent = 0

    async def write(self, event: bytes) -> None:
        if self._sent == CUT_AFTER:
            self._cut()
        self._sent += 1
        await super().write(event)

    async def end(self, usage: bytes) -> None:  # noqa: ARG002 - nobody gets it
        self._cut()

    def _cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.close()
        raise ConnectionResetError("cut by a fault")


class _ErrorInside(EventStream):
    """An error event after the first token, and then the end mark, as vLLM does when its engine fails."""

    _begun = False

    async def write(self, event: bytes) -> None:
        if self._begun:
            await self._fail()
        self._begun = True
        await super().write(event)

    async def end(self, usage: bytes) -> None:  # noqa: ARG002 - nobody gets it
        await self._fail()

    async def _fail(self) -> None:
        await super().write(b"data: " + error_body() + b"\n\n" + DONE)
        raise ConnectionResetError("ended by a fault")


class _NoDone(EventStream):
    """A body that ends well without the end mark."""

    async def end(self, usage: bytes) -> None:
        if usage:
            await super().write(usage)


class _WithLength(EventStream):
    """Keeps every event to the end, for only then is the length known."""

    def __init__(self, request: web.Request) -> None:
        super().__init__(request)
        self._events: list[bytes] = []

    async def open(self) -> None:
        pass

    async def write(self, event: bytes) -> None:
        self._events.append(event)

    async def end(self, usage: bytes) -> None:
        body = b"".join([*self._events, usage, DONE])
        self.response.content_length = len(body)
        await super().open()
        await super().write(body)


_BROKEN: Mapping[Fault, type[EventStream]] = {
    Fault.ERROR_IN_BODY: _ErrorInside,
    Fault.CUT_STREAM: _Cut,
    Fault.NO_DONE: _NoDone,
    Fault.CONTENT_LENGTH: _WithLength,
}


def event_stream(request: web.Request, board: Switchboard) -> EventStream:
    """The stream for an answer that begins now."""
    kind = next((kind for fault, kind in _BROKEN.items() if fault in board), EventStream)
    return kind(request)
