"""Start the control plane and wait until it is ready to serve."""

import ssl
import time

import httpx

from tools.cluster.local import components
from tools.cluster.local.components import Programs
from tools.cluster.local.machine import RunningMachine
from tools.cluster.local.topology import Topology
from tools.errors import UserError

_READY_SECONDS = 60.0


def start(topology: Topology, machine: RunningMachine, programs: Programs) -> None:
    """Start etcd and the API server, then the controllers, which need the API server's bootstrap roles.

    Raises:
        UserError: a component died or the API server did not become ready.
    """
    credentials = topology.directory / "credentials"
    (credentials / components.AUDIT_POLICY).write_text(components.audit_policy())
    machine.start(components.etcd(programs, credentials))
    machine.start(components.apiserver(topology, programs, credentials))
    _wait_ready(topology, machine)
    machine.start(components.controller_manager(topology, programs, credentials))
    machine.start(components.scheduler(programs, credentials))


def refuse_dead(machines: list[RunningMachine]) -> None:
    """Name a component that died, instead of waiting for it.

    Raises:
        UserError: with the end of its log.
    """
    for machine in machines:
        for death in machine.deaths():
            tail = death.log.read_text(errors="replace")[-1500:] if death.log.exists() else "(no log)"
            raise UserError(
                f"{death.component} to run on {death.machine}",
                f"it ended with status {death.status}; the end of its log:\n{tail}",
                next_step=f"less {death.log}",
            )


def _wait_ready(topology: Topology, machine: RunningMachine) -> None:
    url = f"https://{topology.control.address}:6443/readyz"
    deadline = time.monotonic() + _READY_SECONDS
    seen = "no answer"
    ca = topology.directory / "credentials" / "pki" / "ca.crt"
    with httpx.Client(verify=_context(str(ca)), timeout=2, trust_env=False) as client:
        while True:
            try:
                answer = client.get(url)
                seen = f"{answer.status_code} {answer.text[:300]}"
            except httpx.TransportError as error:
                seen = f"{type(error).__name__}: {error}"
            if seen.startswith("200"):
                return
            refuse_dead([machine])
            if time.monotonic() > deadline:
                raise UserError(
                    f"the API server to answer {url} within {_READY_SECONDS:.0f} s", seen,
                    next_step=f"less {topology.log('control', 'kube-apiserver')}",
                )  # fmt: skip
            time.sleep(0.1)  # polling a health endpoint: it offers no event


def _context(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)
