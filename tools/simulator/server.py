"""Routes of the simulator: what vLLM answers where."""

import contextlib
import hmac
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import REGISTRY, generate_latest

from tools.simulator import replies
from tools.simulator.batching import BatchedScheduler
from tools.simulator.errors import ApiError
from tools.simulator.exchange import answer_streamed, answer_whole, begin
from tools.simulator.faults import Switchboard
from tools.simulator.fixed import FixedScheduler
from tools.simulator.http_metrics import EXCLUDED, HttpMetrics
from tools.simulator.identity import STAND_IN, version
from tools.simulator.misbehaviour import Misbehaviour
from tools.simulator.protocol import decode, read_call
from tools.simulator.scrapes import Scrapes
from tools.simulator.sequence import Scheduler
from tools.simulator.settings import Settings
from tools.simulator.streams import event_stream

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Simulator:
    """One simulated server: its application, and the switchboard of its faults."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.board = Switchboard(settings.faults)
        self._faults = Misbehaviour(self.board, settings.ready_after_s)
        self._scheduler = _scheduler(settings, self._faults)
        self._http = HttpMetrics()
        self._scrapes = Scrapes(self.board, self._exposition)
        self._keys = [key.encode() for key in settings.api_keys]
        self._created = int(time.time())
        self.app = web.Application(client_max_size=0, middlewares=[self._frame])
        self.app.add_routes(
            [
                web.post("/v1/completions", self._completions),
                web.post("/v1/chat/completions", self._chat_completions),
                web.get("/v1/models", self._models, allow_head=False),
                web.get("/health", self._health, allow_head=False),
                web.get("/ping", self._health, allow_head=False),
                web.post("/ping", self._health),
                web.get("/version", self._version, allow_head=False),
                web.get("/metrics", self._metrics, allow_head=False),
            ]
        )
        self._paths = {resource.canonical for resource in self.app.router.resources()}
        self.app.on_response_prepare.append(self._mark)

    async def _mark(self, request: web.Request, response: web.StreamResponse) -> None:
        """Headers of every reply: vLLM's server name, and the two by which a stand-in and its pod are known."""
        response.headers["Server"] = "uvicorn"
        response.headers["X-Simulator"] = STAND_IN
        response.headers["X-Inference-Pod"] = self._settings.pod_name
        if self._settings.echo_request_id:
            response.headers["X-Request-Id"] = request.headers.get("X-Request-Id") or replies.new_id()

    @web.middleware
    async def _frame(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn refusals into vLLM's and FastAPI's bodies, and count the exchange when it is over."""
        if not self._may(request):
            return _json(replies.dumps({"error": "Unauthorized"}), 401)
        started = time.monotonic()
        try:
            response = await handler(request)
        except ApiError as error:
            response = _json(replies.dumps(error.body()), error.status)
        except web.HTTPException as error:
            response = _json(replies.dumps({"detail": error.reason}), error.status)
            if "Allow" in error.headers:
                response.headers["Allow"] = error.headers["Allow"]
        if request.path not in EXCLUDED:
            self._http.observe(
                request.path if request.path in self._paths else "none",
                request.method,
                response.status,
                request_bytes=request.content_length or 0,
                response_bytes=response.content_length or 0,
                seconds=time.monotonic() - started,
            )
        return response

    def _may(self, request: web.Request) -> bool:
        """Whether a request has the key that paths below /v1 need, if the server has keys."""
        if not self._keys or not request.path.startswith("/v1") or request.method == "OPTIONS":
            return True
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        given = key.encode("utf-8", "surrogateescape")
        return scheme.lower() == "bearer" and any(hmac.compare_digest(given, known) for known in self._keys)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _version(self, _request: web.Request) -> web.Response:
        return _json(replies.dumps({"version": version(self._settings.metrics_generation)}))

    async def _models(self, _request: web.Request) -> web.Response:
        told = self._settings
        return _json(
            replies.dumps(replies.model_list(told.served_names, told.model, self._created, told.max_model_len))
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._scrapes.text().encode(), headers={"Content-Type": _METRICS_TYPE})

    def _exposition(self) -> str:
        return generate_latest(REGISTRY).decode() + self._scheduler.metrics.text() + self._http.text()

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, chat=False)

    async def _chat_completions(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, chat=True)

    async def _answer(self, request: web.Request, *, chat: bool) -> web.StreamResponse:
        arrival = time.monotonic()
        told = self._settings
        data = decode(await request.read(), request.headers.get("Content-Type", ""))
        call = read_call(data, chat=chat, served=told.served_names, max_model_len=told.max_model_len)
        self._faults.refuse()
        own_id = request.headers.get("X-Request-Id") or call.request_id or replies.new_id()
        exchange = begin(call, own_id, told.served_names[0], arrival, self._faults)
        if not call.stream:
            return _json(self._faults.body(await answer_whole(exchange, self._scheduler)))
        events = event_stream(request, self.board)
        await events.open()
        with contextlib.suppress(ConnectionResetError):  # the stream is over; there is nobody to tell
            await answer_streamed(exchange, self._scheduler, events)
        return events.response


def _scheduler(settings: Settings, faults: Misbehaviour) -> Scheduler:
    if settings.preset is None:
        return FixedScheduler(settings, faults)
    return BatchedScheduler(settings, settings.preset, faults)


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})
