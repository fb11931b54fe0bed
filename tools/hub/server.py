"""The hub's HTTP server: model information, trees, and files with HEAD, GET and ranges, as huggingface_hub asks."""

import asyncio
import re
from dataclasses import dataclass, field

from aiohttp import web

from tools.hub.models import TOKEN, Model, catalogue, etag
from tools.hub.modes import Mode

_API = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)(?:/(?P<what>revision|tree)/(?P<revision>[^/]+))?")
_FILE = re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
WEIGHTS = "model.safetensors"
_SLOW_SECONDS = 3.0
# In place of the status of a request: its answer goes on, or its client went away before the end.
UNANSWERED = 0
GIVEN_UP = 499


@dataclass
class Hub:
    """What is served, and how.

    Attributes:
        name: the host's name.
        unreachable: an address to which those who download have no way.
        models: repositories by name.
        modes: behaviour by repository; WELL where there is none.
        requests: every request, oldest first: method, path, status (or UNANSWERED, GIVEN_UP), whether a token was sent.
    """

    name: str
    unreachable: str
    models: dict[str, Model] = field(default_factory=catalogue)
    modes: dict[str, Mode] = field(default_factory=dict)
    requests: list[dict[str, object]] = field(default_factory=list)

    def application(self) -> web.Application:
        """The server that downloads go to."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        said: dict[str, object] = {"method": request.method, "path": request.path, "status": UNANSWERED}
        self.requests.append(said)
        said |= {"from": request.remote, "token": "Authorization" in request.headers}
        status = GIVEN_UP
        try:
            response = await self._respond(request)
            status = response.status
        finally:
            said["status"] = status
        return response

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        found = _API.fullmatch(request.path) or _FILE.fullmatch(request.path)
        if found is None:
            return _error(404, "EntryNotFound", "no such path")
        mode = self.modes.get(found["name"], Mode.WELL)
        if mode in (Mode.BUSY, Mode.DOWN):
            return _error(429 if mode is Mode.BUSY else 503, "", f"the hub is {mode}")
        if mode is Mode.PRIVATE_AUTHORITY and request.scheme == "http":
            return web.Response(status=302, headers={"Location": f"https://{self.name}{request.path_qs}"})
        model = self.models.get(found["name"])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if model is None:
            # The real hub does not tell strangers which repositories exist.
            return _error(404 if token else 401, "RepoNotFound", "Repository not found")
        if mode is Mode.REFUSED or (token and token != TOKEN):
            return _error(401, "", "Invalid credentials in Authorization header")
        if found["revision"] not in (None, "main", model.commit):
            return _error(404, "RevisionNotFound", f"no revision {found['revision']}")
        groups = found.groupdict()
        if "path" not in groups:
            return _tree(model) if groups["what"] == "tree" else _information(model)
        return await self._file(request, model, mode, groups["path"], bool(token))

    async def _file(
        self, request: web.Request, model: Model, mode: Mode, path: str, has_token: bool
    ) -> web.StreamResponse:
        if mode is Mode.FORBIDDEN:
            return _error(403, "GatedRepo", f"Your request to access model {model.name} is awaiting a review.")
        if model.gated and not has_token and mode is not Mode.OPEN:
            return _error(401, "GatedRepo", f"Access to model {model.name} is restricted. You must be authenticated.")
        content = model.files.get(path)
        if content is None or (mode is Mode.MISSING and path == WEIGHTS):
            return _error(404, "EntryNotFound", f"no {path} in {model.name}")
        headers = {
            "ETag": f'"{etag(content)}"',
            "X-Repo-Commit": model.commit,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if path == WEIGHTS and (host := self._elsewhere(mode)):
            linked = {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(content))}
            return web.Response(status=302, headers=headers | linked | {"Location": f"http://{host}{request.path}"})
        part = _part(request, content)
        if part is None:
            return _error(416, "", "no such range")
        start, wanted = part
        status = 206 if "Range" in request.headers else 200
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{start + len(wanted) - 1}/{len(content)}"
        if request.method == "HEAD":
            return web.Response(status=status, headers=headers | {"Content-Length": str(len(wanted))})
        return await _send(request, status, headers, wanted, mode if path == WEIGHTS else Mode.WELL)

    def _elsewhere(self, mode: Mode) -> str:
        hosts = {Mode.UNKNOWN_HOST: f"no-such-host.{self.name}", Mode.UNREACHABLE: self.unreachable}
        return hosts.get(mode, "")


async def _send(
    request: web.Request, status: int, headers: dict[str, str], content: bytes, mode: Mode
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(content)
    await response.prepare(request)
    if mode is Mode.STALLED:
        for index in range(len(content)):  # never silent long enough for a time-out of the client
            await response.write(content[index : index + 1])
            await asyncio.sleep(1)
    if mode is Mode.SLOW:
        await asyncio.sleep(_SLOW_SECONDS)
    await response.write(content)
    await response.write_eof()
    return response


def _part(request: web.Request, content: bytes) -> tuple[int, bytes] | None:
    """The range that is asked for: where it begins, and its bytes; None if there is none."""
    try:
        wanted = request.http_range
    except ValueError:
        return None
    start, stop, _ = wanted.indices(len(content))
    return (start, content[start:stop]) if start < len(content) else None


def _information(model: Model) -> web.Response:
    return web.json_response(
        {
            "_id": model.commit[:24], "id": model.name, "modelId": model.name, "sha": model.commit, "private": False,
            "disabled": False, "gated": "manual" if model.gated else False, "downloads": 0, "likes": 0, "tags": [],
            "siblings": [{"rfilename": path} for path in model.files],
        }
    )  # fmt: skip


def _tree(model: Model) -> web.Response:
    rows = [
        {"type": "file", "path": path, "size": len(content), "oid": etag(content)[:40]}
        for path, content in model.files.items()
    ]
    return web.json_response(rows, headers={"X-Repo-Commit": model.commit})


def _error(status: int, code: str, message: str) -> web.Response:
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    return web.json_response({"error": message}, status=status, headers=headers)
