"""The process around the application: its socket, TLS, and the drain at the end."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from tools.simulator.admin_socket import admin_socket
from tools.simulator.http_metrics import EXCLUDED
from tools.simulator.identity import STAND_IN
from tools.simulator.server import Simulator
from tools.simulator.settings import Settings
from tools.simulator.tls import server_context

log = logging.getLogger("simulator")

# uvicorn as vLLM sets it up closes a connection that is idle for so many seconds.
KEEP_ALIVE_S = 5.0
# aiohttp takes 0 for "no limit" and wants a number for it.
_AT_ONCE_S = 0.001
_WITHOUT_LIMIT_S = 0.0


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    The drain: no new connections and no idle ones, running requests go on to their end (or until
    `shutdown_timeout_s`, when they are cut). vLLM 0.16 cuts them at once; `--shutdown-timeout 0` does that here.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with listening(settings) as url:
        log.info("%s, listening on %s, serving %s", STAND_IN, url, ", ".join(settings.served_names))
        await stop.wait()
        log.info("draining")
    log.info("stopped")


@contextlib.asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[str]:
    """Listen while the context is open, drain at its end; yields the URL.

    Raises:
        OSError: the address cannot be had, or a TLS file not be read.
    """
    limit = settings.shutdown_timeout_s
    simulator = Simulator(settings)
    runner = web.AppRunner(
        simulator.app,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE_S,
        access_log_class=_AccessLog,
        shutdown_timeout=_WITHOUT_LIMIT_S if limit is None else max(limit, _AT_ONCE_S),
    )
    await runner.setup()
    try:
        tls = (
            server_context(settings.ssl_certfile, settings.ssl_keyfile, refresh=settings.ssl_refresh)
            if settings.ssl_certfile
            else None
        )
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        scheme = "https" if tls else "http"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        if simulator.board.active():
            log.warning("faults that are on: %s", ", ".join(simulator.board.active()))
        async with contextlib.AsyncExitStack() as doors:
            if settings.admin_socket:
                await doors.enter_async_context(admin_socket(settings.admin_socket, simulator.board))
            yield f"{scheme}://{host}:{port}"
    finally:
        await runner.cleanup()


class _AccessLog(AbstractAccessLogger):
    """A line for each request, but for probes and scrapes, which come many times in a second."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        if request.path not in EXCLUDED:
            self.logger.info(
                '%s - "%s %s" %s %.0f ms', request.remote, request.method, request.path, response.status, time * 1000
            )
