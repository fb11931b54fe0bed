"""A simulator inside this process, for self-tests of what talks to a model server."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

from tools.simulator.run import listening
from tools.simulator.settings import Settings


@contextlib.contextmanager
def in_background(settings: Settings) -> Iterator[str]:
    """Serve from a thread with an event loop of its own while the context is open; yields the URL.

    Use `host="127.0.0.1", port=0`. At the end the server drains.

    Raises:
        OSError: the address cannot be had, or a TLS file not be read.
    """
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with listening(settings) as url:
                ready.set_result(url)
                await stop.wait()
        except OSError as error:
            ready.set_exception(error)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="simulator")
    thread.start()
    try:
        yield ready.result(timeout=30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
