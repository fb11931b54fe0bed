"""Switches of the hub: for one operator, the host that the cluster runs on; pods are refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from aiohttp import web

from tools.hub.modes import Mode
from tools.hub.server import Hub

_SECONDS = 10
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def switches(hub: Hub, operator: str) -> web.Application:
    """The server of the switches.

    Args:
        hub: what is switched.
        operator: the only address that is answered.
    """

    @web.middleware
    async def only_operator(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.remote != operator:
            return web.Response(status=403, text="this is for the operator of the cluster")
        return await handler(request)

    async def switch(request: web.Request) -> web.Response:
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        try:
            hub.modes[name] = Mode((await request.text()).strip())
        except ValueError:
            return web.Response(status=400, text=f"modes are {', '.join(Mode)}")
        return web.Response(text=hub.modes[name])

    async def show(_: web.Request) -> web.Response:
        return web.json_response({"modes": hub.modes, "requests": hub.requests[-1000:]})

    app = web.Application(middlewares=[only_operator])
    app.router.add_put("/modes/{owner}/{name}", switch)
    app.router.add_get("/", show)
    return app


class Switches:
    """The switches, as the operator uses them.

    Args:
        url: of their server.

    Attributes:
        url: the same.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def switch(self, model: str, mode: Mode) -> None:
        """Let the hub behave so towards those who ask for a model (OWNER/NAME)."""
        httpx.put(f"{self.url}/modes/{model}", content=mode.value, timeout=_SECONDS).raise_for_status()

    def mode(self, model: str) -> Mode:
        """How it behaves now."""
        return Mode(self._read("modes").get(model, Mode.WELL))

    def requests(self) -> list[dict[str, object]]:
        """The last thousand requests that it got."""
        found: list[dict[str, object]] = self._read("requests")
        return found

    def _read(self, what: str) -> Any:
        return httpx.get(f"{self.url}/", timeout=_SECONDS).raise_for_status().json()[what]
