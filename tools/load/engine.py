"""Many requests from a thread of its own: one at each tick of an absolute schedule, and streams that follow each other.

Open loop: a request is sent when it is due, whatever became of those before, so that an outage is not hidden by
waiting for it. What the engine was late by is in the records (`sent_ns` against `intended_ns`).
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.load.record import NANOSECONDS, RequestRecord
from tools.load.timeline import Mark, Slice, slices
from tools.load.transport import Question, Transport
from tools.openai.connection import Connection

_CALM = 0.05
_LATE = 1.0


class TooBusy(Exception):
    """This machine could not send in time: what became of the requests says nothing about the service."""


@dataclass(frozen=True)
class Load:
    """What is sent.

    Attributes:
        rate: requests a second, evenly.
        question: what each asks.
        streams: how many long streams run at any time: each is followed by another when it ends.
        long_question: what each stream asks.
    """

    rate: float = 10.0
    question: Question = field(default_factory=Question)
    streams: int = 0
    long_question: Question = field(default_factory=lambda: Question(streamed=True))

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"rate is {self.rate:g}; it is more than nothing")


class Traffic:
    """Requests on their way, and those that have ended; made by `running`.

    Attributes:
        marks: what has happened so far, the beginning first.
    """

    def __init__(self) -> None:
        self._records: list[RequestRecord] = []
        self._lock = threading.Condition()
        self.marks = [Mark(time.monotonic_ns(), "begin")]

    def mark(self, what: str) -> Mark:
        """Note that something has happened just now."""
        made = Mark(time.monotonic_ns(), what)
        self.marks.append(made)
        return made

    def take(self, record: RequestRecord) -> None:
        """A request has ended."""
        with self._lock:
            self._records.append(record)
            self._lock.notify_all()

    @property
    def records(self) -> list[RequestRecord]:
        """All that have ended."""
        with self._lock:
            return list(self._records)

    @property
    def failed(self) -> list[RequestRecord]:
        """Those that failed."""
        return [each for each in self.records if not each.ok]

    @property
    def slices(self) -> list[Slice]:
        """All that have ended, by marks."""
        return slices(self.records, self.marks)

    def await_records(self, enough: Callable[[list[RequestRecord]], bool], seconds: float) -> bool:
        """Wait until the records are enough, looking whenever one is added.

        Args:
            enough: given all records.
            seconds: how long at most.

        Returns:
            whether they were.
        """
        with self._lock:
            return self._lock.wait_for(lambda: enough(list(self._records)), timeout=seconds)


def expect_in_time(records: Iterable[RequestRecord]) -> None:
    """Requests were sent when they were due, or nothing can be said of what became of them.

    Raises:
        TooBusy: one was sent a second or more later than it was to be.
    """
    if (late := max((each.late for each in records), default=0.0)) > _LATE:
        raise TooBusy(f"a request was sent {late:.1f} s after it was due: this machine has too much else to do")


@contextmanager
def running(connection: Connection, url: str, user_agent: str, load: Load) -> Iterator[Traffic]:
    """Send while entered; what is on its way at the end is waited for.

    Args:
        connection: the way to the service.
        url: its base URL.
        user_agent: sent with each request.
        load: what is sent.

    Raises:
        Exception: what ended the engine itself; never what ended a request.
    """
    traffic, loop, ended = Traffic(), asyncio.new_event_loop(), asyncio.Event()
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            loop.run_until_complete(_send(connection, url, user_agent, load, traffic, ended))
        except BaseException as error:  # told where it is waited for
            trouble.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="load", daemon=True)
    thread.start()
    try:
        yield traffic
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)
        thread.join()
    if trouble:
        raise trouble[0]


async def _send(
    connection: Connection,
    url: str,
    user_agent: str,
    load: Load,
    traffic: Traffic,
    ended: asyncio.Event,
) -> None:
    transport = Transport(connection, url, user_agent)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_steady(transport, load, traffic, ended, tasks))
            for _ in range(load.streams):
                tasks.create_task(_streams(transport, load.long_question, traffic, ended))
    finally:
        await transport.close()


async def _steady(
    transport: Transport, load: Load, traffic: Traffic, ended: asyncio.Event, tasks: asyncio.TaskGroup
) -> None:
    """Begin a request at each tick; ticks are counted from the start, so that one late tick delays no other."""
    start, gap, number = time.monotonic_ns(), NANOSECONDS / load.rate, 0

    async def one(intended_ns: int) -> None:
        traffic.take(await transport.ask(load.question, intended_ns))

    while not ended.is_set():
        intended = start + int(number * gap)
        if await _ended_within(ended, (intended - time.monotonic_ns()) / NANOSECONDS):
            return
        tasks.create_task(one(intended))
        number += 1


async def _streams(transport: Transport, question: Question, traffic: Traffic, ended: asyncio.Event) -> None:
    """One long stream after the other; after one that failed there is a short breath, or an outage would be a storm."""
    while not ended.is_set():
        record = await transport.ask(question, time.monotonic_ns())
        traffic.take(record)
        if not record.ok:
            await _ended_within(ended, _CALM)


async def _ended_within(ended: asyncio.Event, seconds: float) -> bool:
    """Wait for the end, at most so long; whether it has come."""
    if seconds <= 0:
        return ended.is_set()
    try:
        await asyncio.wait_for(ended.wait(), seconds)
    except TimeoutError:
        return False
    return True
