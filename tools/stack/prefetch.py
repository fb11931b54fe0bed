"""Fetches the sources of all components while the first of them compiles: network and cores are busy together."""

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.stack.components import Component
from tools.stack.golang import Go
from tools.stack.pins import PINS
from tools.stack.procs import StepFailed, end_group


class Prefetch:
    """A thread that lists (and so fetches) the packages of components, in order.

    Args:
        go: the toolchain.
        components: in the order in which they are compiled.
        logs: directory for one log a component.
    """

    def __init__(self, go: Go, components: Sequence[Component], logs: Path) -> None:
        self._go = go
        self._components = components
        self._logs = logs
        self._ready = {component.name: threading.Event() for component in components}
        self._failed: dict[str, StepFailed] = {}
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)

    def __enter__(self) -> "Prefetch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._stopped = True
            if self._process is not None and self._process.poll() is None:
                end_group(self._process)
        self._thread.join()

    def wait(self, component: str) -> None:
        """Return when a component's sources are there; raise StepFailed if they could not be had."""
        self._ready[component].wait()
        if component in self._failed:
            raise self._failed[component]

    def _run(self) -> None:
        for component in self._components:
            log = self._logs / f"{component.name}-sources.log"
            for compile_ in component.compiles:
                command = self._go.list_command(compile_)
                status = self._list(command, component, log)
                if status != 0:
                    self._failed[component.name] = StepFailed(command, status, log)
                    break
            self._ready[component.name].set()

    def _list(self, command: Sequence[str], component: Component, log: Path) -> int:
        with log.open("w") as file:
            with self._lock:
                if self._stopped:
                    return 1
                self._process = subprocess.Popen(
                    command, cwd=PINS / component.name, env={**os.environ, **self._go.environment()}, text=True,
                    stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
                )  # fmt: skip
            return self._process.wait()
