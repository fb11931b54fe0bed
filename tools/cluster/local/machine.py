"""A machine seen from the host: start its namespaces, talk to its init, run a command inside, end it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.cluster.local import cgroups
from tools.cluster.local.machine_spec import Component, MachineSpec, ask
from tools.cluster.provider import Death
from tools.errors import UserError
from tools.paths import CHECKOUT

# Nothing of the caller's environment reaches a component: no tokens, no proxies.
_MINIMAL_ENVIRONMENT = {"LANG": "C.UTF-8", "HOME": "/root"}
_START_SECONDS = 20.0


@dataclass(frozen=True)
class RunningMachine:
    """A started machine.

    Attributes:
        spec: what it was started with.
        init_pid: process id of its init, as the host sees it.
    """

    spec: MachineSpec
    init_pid: int

    def start(self, component: Component) -> None:
        """Start a component under the machine's init.

        Raises:
            UserError: the program could not be started.
        """
        environment = _MINIMAL_ENVIRONMENT | component.environment
        answer = ask(self.spec.socket, {"do": "start", **asdict(component), "environment": environment})
        if "error" in answer:
            raise UserError(f"{component.name} to start on {self.spec.name}", answer["error"])

    def stop(self, name: str) -> None:
        """Ask a component to end; its end is then not a death."""
        ask(self.spec.socket, {"do": "stop", "name": name})

    def wait_stopped(self, name: str, seconds: float = 20) -> None:
        """Wait until a component that was asked to end has ended.

        Raises:
            UserError: it has not.
        """
        deadline = time.monotonic() + seconds
        while name in self.components():
            if time.monotonic() > deadline:
                raise UserError(f"{name} on {self.spec.name} to end within {seconds:.0f} s", "it is still running")
            time.sleep(0.05)  # only the machine's init sees its children end

    def components(self) -> dict[str, int]:
        """Running components with their process ids inside the machine."""
        running: dict[str, int] = ask(self.spec.socket, {"do": "list"})["running"]
        return running

    def deaths(self) -> list[Death]:
        """Components that ended without being asked to."""
        return read_deaths(self.spec)

    def run(self, command: list[str], environment: dict[str, str] | None = None) -> str:
        """Run a command inside the machine and return what it printed.

        Raises:
            subprocess.CalledProcessError: it failed; stderr is in the exception.
        """
        done = subprocess.run(
            ["nsenter", "--target", str(self.init_pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--", *command],
            check=True, capture_output=True, text=True, env=_MINIMAL_ENVIRONMENT | (environment or {}),
        )  # fmt: skip
        return done.stdout


def read_deaths(spec: MachineSpec) -> list[Death]:
    """Deaths that the machine's init has noted."""
    if not spec.deaths.exists():
        return []
    rows = [json.loads(line) for line in spec.deaths.read_text().splitlines()]
    return [Death(spec.name, row["component"], row["status"], Path(row["log"])) for row in rows]


def launch(spec: MachineSpec) -> RunningMachine:
    """Start a machine's namespaces and wait until its init answers.

    Raises:
        UserError: it did not come up; the text has the end of its log.
    """
    Path(spec.directory).mkdir(parents=True, exist_ok=True)
    Path(spec.logs).mkdir(parents=True, exist_ok=True)
    spec_file = Path(spec.directory) / "machine.json"
    spec.save(spec_file)
    log = Path(spec.logs) / "init.log"
    namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc"]
    # A session of its own and no child of ours: it outlives this process, and its end is its own.
    command = ["setsid", "--fork", "unshare", *namespaces, "--propagation", "private", "--fork", "--kill-child", "--"]
    command += [sys.executable, "-m", "tools.cluster.local.machine_init", str(spec_file)]
    environment = _MINIMAL_ENVIRONMENT | {"PATH": os.environ.get("PATH", os.defpath)}
    with log.open("wb") as out:
        subprocess.run(
            command, check=True, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        )
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(spec):
        # A good start writes nothing.
        if (wrote := log.read_text()) or time.monotonic() > deadline:
            raise UserError(
                f"machine {spec.name} to start within {_START_SECONDS:.0f} s",
                f"its init wrote: {wrote[-1500:]}" if wrote else "its init does not answer",
                cause="a kernel feature is missing or the sandbox forbids a mount",
                next_step=f"less {log}",
            )
        time.sleep(0.02)  # a socket appears; nothing announces it
    machine = attach(spec)
    assert machine is not None, "an init that answers is in its group"
    return machine


def attach(spec: MachineSpec) -> RunningMachine | None:
    """Find a machine that was started earlier; None if it is gone."""
    members = cgroups.processes(spec.cgroup)
    inits = [pid for pid in members if _is_init_of(pid, spec)]
    return RunningMachine(spec, inits[0]) if inits else None


def kill(cgroup: str) -> None:
    """End everything in a group at once and wait until it is gone."""
    deadline = time.monotonic() + 20
    while members := cgroups.processes(cgroup):
        for pid in members:
            _kill(pid)
        if time.monotonic() > deadline:
            raise UserError(f"processes of {cgroup} to end", f"still there after SIGKILL: {sorted(members)}")
        time.sleep(0.02)  # the kernel ends them; nothing to wait on for processes that are not our children


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _answers(spec: MachineSpec) -> bool:
    try:
        return "running" in ask(spec.socket, {"do": "list"}, timeout=1)
    except UserError:
        return False


def _is_init_of(pid: int, spec: MachineSpec) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        namespace_ids = [
            row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith("NSpid:")
        ]
    except OSError:
        return False
    is_first = bool(namespace_ids) and namespace_ids[0].split()[-1] == "1"
    return is_first and f"{spec.directory}/machine.json".encode() in arguments
