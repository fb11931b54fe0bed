"""First process of a machine: prepares its mounts, then starts, watches and reaps its components.

Runs as process 1 of a PID namespace, so that the machine ends with it, whatever ends it.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.cluster.local import cgroups, mounts
from tools.cluster.local.machine_spec import MachineSpec


class Init:
    """The supervisor: one per machine."""

    def __init__(self, spec: MachineSpec) -> None:
        self._spec = spec
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ended: dict[str, int] = {}
        self._stopping: set[str] = set()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def serve(self) -> None:
        """Answer requests and reap children until the machine is ended."""
        signal.set_wakeup_fd(self._wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        self._spec.socket.unlink(missing_ok=True)
        # By a relative path: a socket's path may have 107 bytes only.
        os.chdir(self._spec.directory)
        self._server.bind(self._spec.socket.name)
        self._server.listen()
        selector = selectors.DefaultSelector()
        selector.register(self._wake_read, selectors.EVENT_READ)
        selector.register(self._server, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is self._server:
                    self._answer()
                else:
                    os.read(self._wake_read, 4096)
                    self._reap()

    def _answer(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            connection.settimeout(5)
            try:
                request = json.loads(connection.makefile().readline())
                answer = self._handle(request)
            except (OSError, ValueError, KeyError, TypeError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            # A client that hung up must not end the machine.
            with suppress(OSError):
                connection.sendall(json.dumps(answer).encode() + b"\n")

    def _handle(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "start":
                return self._start(request["name"], request["command"], request["environment"])
            case "stop":
                return self._stop(request["name"])
            case "list":
                running = {name: process.pid for name, process in self._running.items()}
                return {"running": running, "ended": self._ended}
            case other:
                return {"error": f"unknown request {other!r}"}

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> dict[str, Any]:
        if name in self._running:
            return {"error": f"{name} is running already"}
        log = Path(self._spec.logs) / f"{name}.log"
        with log.open("ab") as out:
            self._running[name] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/",
            )
        self._ended.pop(name, None)
        return {"pid": self._running[name].pid}

    def _stop(self, name: str) -> dict[str, Any]:
        process = self._running.get(name)
        if process is not None:
            self._stopping.add(name)
            process.terminate()
        return {"stopping": process is not None}

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = next((name for name, process in self._running.items() if process.pid == pid), None)
            if name is not None:  # others are orphans of containers, adopted by process 1
                self._note_end(name, os.waitstatus_to_exitcode(status))

    def _note_end(self, name: str, code: int) -> None:
        process = self._running.pop(name)
        process.returncode = code
        self._ended[name] = code
        if name in self._stopping:
            self._stopping.discard(name)
            return
        row = {
            "component": name,
            "status": code,
            "time": time.time(),
            "log": str(Path(self._spec.logs) / f"{name}.log"),
        }
        with self._spec.deaths.open("a") as out:
            out.write(json.dumps(row) + "\n")


def main() -> None:
    """Entry point: `python -m tools.cluster.local.machine_init SPEC_FILE`."""
    spec = MachineSpec.load(Path(sys.argv[1]))
    cgroups.enter(spec.cgroup)
    mounts.prepare(Path(spec.directory))
    socket.sethostname(spec.name)
    Init(spec).serve()


if __name__ == "__main__":
    main()
