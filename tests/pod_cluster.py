"""A cluster in memory whose pods run as soon as they are made, and take commands: each is a process of this machine.

What is exec'd in a pod runs here, with a program in place of /agnhost, by the WebSocket protocol that kubelets speak.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import WSCloseCode, web

from tools.kube.client import Kube

Object = dict[str, Any]
_COLLECTIONS = {
    "namespaces": "Namespace",
    "nodes": "Node",
    "pods": "Pod",
    "services": "Service",
    "networkpolicies": "NetworkPolicy",
}
# Channels of v4.channel.k8s.io.
_OUT, _ERROR, _STATUS = b"\x01", b"\x02", b"\x03"


@dataclass
class PodCluster:
    """What is there.

    Attributes:
        agnhost: the program that is /agnhost in every pod; it has the pod's name as $POD.
        objects: by collection, then by `namespace/name`.
        executed: query of each command.
        refused: collections that nothing may be made in.
        changed: called after every change.
    """

    agnhost: Path
    objects: dict[str, dict[str, Object]] = field(default_factory=lambda: {each: {} for each in _COLLECTIONS})
    executed: list[dict[str, list[str]]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    changed: Callable[["PodCluster"], None] = lambda _: None

    def node(self, name: str, **spec: Any) -> None:
        """Add one that is ready."""
        conditions = [{"type": "Ready", "status": "True"}]
        self.objects["nodes"][f"/{name}"] = {
            "metadata": {"name": name, "labels": {"kubernetes.io/os": "linux"}},
            "spec": spec,
            "status": {"conditions": conditions},
        }

    def pod(self, document: Object) -> Object:
        """Add one that runs and is ready, unless a gate keeps it from that."""
        gated = bool(document["spec"].get("readinessGates"))
        document["status"] = {
            "podIP": f"127.0.0.{len(self.objects['pods']) + 2}",
            "conditions": [{"type": "Ready", "status": str(not gated)}],
            "containerStatuses": [{"name": "agnhost", "state": {"running": {}}}],
        }
        self.objects["pods"][_key(document)] = document
        return document

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One request of the API."""
        words = request.path.strip("/").split("/")
        if words[-1] == "exec":
            return await self._exec(request, words[-2])
        if words[-1] in ("v1",):
            return web.json_response({"resources": [
                {"name": plural, "kind": kind, "namespaced": plural not in ("nodes", "namespaces")}
                for plural, kind in _COLLECTIONS.items()
            ]})  # fmt: skip
        collection, space, name = _place(words)
        return self._answer(request, self.objects[collection], space, name, await request.text())

    def _answer(
        self, request: web.Request, there: dict[str, Object], space: str, name: str, text: str
    ) -> web.StreamResponse:
        key = f"{space}/{name}"
        if request.method == "GET" and not name:
            labels = [each.split("=") for each in request.query.get("labelSelector", "").split(",") if each]
            fields = request.query.get("fieldSelector", "").partition("=")[2]
            items = [
                each
                for where, each in there.items()
                if (not space or where.startswith(f"{space}/"))
                and (not fields or each["metadata"]["name"] == fields)
                and all((each["metadata"].get("labels") or {}).get(label) == value for label, value in labels)
            ]
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": items})
        if request.method == "GET":
            return web.json_response(there[key]) if key in there else web.json_response({"message": "no"}, status=404)
        if request.method == "DELETE":
            gone = there.pop(key, None)
            self.changed(self)
            return web.json_response({}, status=200 if gone else 404)
        document = json.loads(text)
        if document["kind"] in self.refused:
            return web.json_response({"message": f"{document['kind']} is forbidden"}, status=403)
        if _key(document) in there and request.method == "POST":
            return web.json_response({"message": "already exists"}, status=409)
        there[_key(document)] = document
        if document["kind"] == "Pod":
            self.pod(document)
        self.changed(self)
        return web.json_response(document, status=201)

    async def _exec(self, request: web.Request, pod: str) -> web.StreamResponse:
        self.executed.append({key: request.query.getall(key) for key in request.query})
        socket = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await socket.prepare(request)
        words = [each.replace("/agnhost", str(self.agnhost)) for each in request.query.getall("command")]
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={"POD": pod, "PATH": "/bin"}
        )
        out, error = await process.communicate()
        await socket.send_bytes(_OUT + out)
        await socket.send_bytes(_ERROR + error)
        causes = [{"reason": "ExitCode", "message": str(process.returncode)}]
        failed = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
        await socket.send_bytes(_STATUS + json.dumps(failed if process.returncode else {"status": "Success"}).encode())
        await socket.close(code=WSCloseCode.OK)
        return socket


@contextmanager
def serving(cluster: PodCluster, directory: Path) -> Iterator[Kube]:
    """Serve it on a port of this machine; yields a client."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    port: list[int] = []
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", cluster.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def begin() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port.append(runner.addresses[0][1])
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    path = directory / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{port[0]}"}}],
                "users": [{"name": "user", "user": {"token": "secret"}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
            }
        )
    )
    try:
        yield Kube(path, "test")
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def _key(document: Object) -> str:
    return f"{document['metadata'].get('namespace', '')}/{document['metadata']['name']}"


def _place(words: list[str]) -> tuple[str, str, str]:
    """Collection, namespace and name of a path."""
    rest = words[2:] if words[0] == "api" else words[3:]
    space = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        space, rest = rest[1], rest[2:]
    return rest[0], space, rest[1] if len(rest) > 1 else ""
