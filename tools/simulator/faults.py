"""Faults that can be switched on: what they are called, and which of them are on.

What each does is in `misbehaviour`, `broken_streams` and `scrapes`. Nothing but the standard library is imported here,
so that the client in `admin` starts quickly in a pod with little CPU.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum


class Fault(StrEnum):
    """What a server can do wrong while its pod is Ready."""

    HANG = "hang"
    SLOW = "slow"
    ERROR_5XX = "error-5xx"
    ERROR_IN_BODY = "error-in-body"
    CUT_STREAM = "cut-stream"
    NO_DONE = "no-done"
    CONTENT_LENGTH = "content-length"
    GARBAGE = "garbage"
    WRONG_MODEL = "wrong-model"
    FROZEN_METRICS = "frozen-metrics"
    RENAMED_METRICS = "renamed-metrics"
    READY_TOO_SOON = "ready-too-soon"


MEANING: Mapping[Fault, str] = {
    Fault.HANG: "no token is produced and requests wait, while /health is 200; switched off, they go on",
    Fault.SLOW: "every token takes twenty times as long",
    Fault.ERROR_5XX: "completions are answered 500, the rest as usual",
    Fault.ERROR_IN_BODY: "a 200 with an error object for a body; in a stream as an event after the first token",
    Fault.CUT_STREAM: "a stream's connection is closed after two events, without an end",
    Fault.NO_DONE: "a stream ends without `data: [DONE]`",
    Fault.CONTENT_LENGTH: "a stream comes in one piece at its end, with a Content-Length",
    Fault.GARBAGE: "every token is `!`, as vLLM writes when its numbers overflow (NaN)",
    Fault.WRONG_MODEL: "replies name a model that nobody asked for",
    Fault.FROZEN_METRICS: "/metrics stays what it was when this was switched on",
    Fault.RENAMED_METRICS: "vllm:… is vllm_… in /metrics",
    Fault.READY_TOO_SOON: "/health is 200 at once, completions are answered 503 for --ready-after seconds",
}


class Switchboard:
    """Which faults are on, and since when.

    Args:
        active: those that are on from the start.
    """

    def __init__(self, active: Iterable[Fault] = ()) -> None:
        self._since: dict[Fault, float] = {}
        self._off = {fault: asyncio.Event() for fault in Fault}
        self._listeners: list[Callable[[Fault], None]] = []
        for event in self._off.values():
            event.set()
        for fault in active:
            self.on(fault)

    def __contains__(self, fault: Fault) -> bool:
        return fault in self._since

    def active(self) -> list[Fault]:
        """The faults that are on, in the order of their list."""
        return [fault for fault in Fault if fault in self._since]

    def on(self, fault: Fault) -> None:
        """Switch a fault on; nothing happens if it is on."""
        if fault in self._since:
            return
        self._since[fault] = time.monotonic()
        self._off[fault].clear()
        for tell in self._listeners:
            tell(fault)

    def off(self, fault: Fault) -> None:
        """Switch a fault off; nothing happens if it is off."""
        self._since.pop(fault, None)
        self._off[fault].set()

    def seconds(self, fault: Fault) -> float:
        """Seconds since a fault was switched on; infinite if it is off."""
        return time.monotonic() - self._since.get(fault, float("-inf"))

    def listen(self, tell: Callable[[Fault], None]) -> None:
        """Call `tell` whenever a fault comes to be on, in the moment it does."""
        self._listeners.append(tell)

    async def until_off(self, fault: Fault) -> None:
        """Return at once if a fault is off, else when it is switched off."""
        await self._off[fault].wait()


def named(text: str) -> Fault:
    """The fault of a name.

    Raises:
        ValueError: there is none, with the names that there are.
    """
    if text not in list(Fault):
        raise ValueError(f"no fault is called {text!r}; there are {', '.join(Fault)}")
    return Fault(text)
