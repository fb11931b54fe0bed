"""What the host tells a machine's init, and what it answers: the messages on the control socket."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.errors import UserError


@dataclass(frozen=True)
class MachineSpec:
    """How a machine's init prepares its namespaces.

    Attributes:
        name: host name.
        directory: the machine's own files on disk; its /var/lib, /var/log and /etc changes live here.
        logs: directory for the components' logs.
        cgroup: path below every cgroup hierarchy, relative to its root.
    """

    name: str
    directory: str
    logs: str
    cgroup: str

    @property
    def socket(self) -> Path:
        """Control socket of the machine's init."""
        return Path(self.directory) / "init.sock"

    @property
    def deaths(self) -> Path:
        """File with one JSON object per component that ended without being asked to."""
        return Path(self.directory) / "deaths.jsonl"

    def save(self, path: Path) -> None:
        """Write to a file for `load`."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "MachineSpec":
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))


@dataclass(frozen=True)
class Component:
    """A program that a machine's init runs and watches.

    Attributes:
        name: for example `kubelet`; its log has this name.
        command: program and arguments.
        environment: variables added to a minimal environment.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def ask(path: Path, message: dict[str, Any], timeout: float = 30.0) -> dict[str, Any]:
    """Send one request to a machine's init and return its answer.

    Args:
        path: the control socket.
        message: JSON object with a key `do`.
        timeout: seconds for the whole exchange.

    Raises:
        UserError: the machine does not answer: it was killed.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, _opened(path.parent) as directory:
            connection.settimeout(timeout)
            # A socket's path may have 107 bytes only; this one is short, wherever the directory is.
            connection.connect(f"/proc/self/fd/{directory}/{path.name}")
            connection.sendall(json.dumps(message).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile().readline())
    except (OSError, ValueError) as error:
        raise UserError(
            f"an answer from the init of machine {path.parent.name}",
            f"{type(error).__name__}: {error} at {path}",
            cause="the machine was killed",
            next_step="llmisvc-conformance down, then llmisvc-conformance up",
        ) from None
    return answer


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory, os.O_PATH | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
