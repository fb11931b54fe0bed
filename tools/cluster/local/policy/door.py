"""Where the CNI plugin calls: a Unix socket, one JSON object a connection in each direction."""

import json
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.cluster.local.policy.attachments import Attachment

# The kubelet tries again by itself; sooner than this a busy machine would only be made busier.
_IN_FORCE_SECONDS = 20.0


@dataclass(frozen=True, eq=False)
class Attach:
    """A pod wants to begin: `in_force` is set when the rules for its address are in the kernel."""

    attachment: Attachment
    in_force: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Detach:
    """A sandbox is gone from the network."""

    container: str


def open_door(path: Path, tell: Callable[[Attach | Detach], None], seconds: float = _IN_FORCE_SECONDS) -> "Door":
    """Answer plugins, in threads of its own.

    Args:
        path: the socket, made anew.
        tell: takes what a plugin asks for.
        seconds: how long a pod waits for its rules before it is refused.
    """
    path.unlink(missing_ok=True)  # of an agent that was killed
    door = Door(path, tell, seconds)
    threading.Thread(target=door.serve_forever, name="door", daemon=True).start()
    return door


class Door(socketserver.ThreadingUnixStreamServer):
    """The server; `shutdown` and `server_close` end it."""

    daemon_threads = True

    def __init__(self, path: Path, tell: Callable[[Attach | Detach], None], seconds: float) -> None:
        self._tell, self._seconds = tell, seconds
        super().__init__(str(path), _Caller)

    def answer(self, asked: dict[str, Any]) -> dict[str, str]:
        """What a plugin is told: an error, or nothing."""
        if asked["do"] == "detach":
            self._tell(Detach(asked["container"]))
            return {}
        attach = Attach(Attachment(**asked["attachment"]))
        self._tell(attach)
        if attach.in_force.wait(self._seconds):
            return {}
        who = f"{attach.attachment.namespace}/{attach.attachment.name}"
        return {
            "error": f"rules for pod {who} were not in force within {self._seconds:.0f} s: the agent has not seen it"
        }


class _Caller(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Door)
        try:
            answer = self.server.answer(json.loads(self.rfile.readline()))
        except (ValueError, KeyError, TypeError) as error:
            answer = {"error": f"not understood: {type(error).__name__}: {error}"}
        self.wfile.write(json.dumps(answer).encode() + b"\n")
