"""The host stays as it was: compared before and after clusters that ended in every way."""

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import host_snapshot
from tools.cluster.local import bring_up, cgroups, down, registry, status
from tools.cluster.local.topology import Topology
from tools.stack import Stack, locate_stack


def _install_nothing(*_: object) -> None:
    """Nodes, DNS and their pods are what could leave something on the host; the charts add objects only."""


@pytest.fixture(scope="module")
def stack() -> Stack:
    return locate_stack()


@pytest.fixture
def name() -> Iterator[str]:
    name = f"host-test-{os.getpid()}"
    yield name
    if (left := registry.load(name)) is not None:
        down.remove(left)


def _up(name: str, stack: Stack) -> Topology:
    return bring_up.bring_up(name, stack, print, install=_install_nothing)


def test_nothing_is_left_after_down(stack: Stack, name: str) -> None:
    before = host_snapshot.take()
    topology = _up(name, stack)
    commands = bring_up.kube_commands(topology, stack)
    commands.wait("condition=Available", "deployment/coredns", "--namespace=kube-system", seconds=60)
    while_up = [row for row in host_snapshot.take().changes_since(before) if topology.host_link not in row]
    assert not [row for row in while_up if row.startswith(("sysctls", "modules", "rules", "mounts", "files"))]
    down.remove(topology)
    assert host_snapshot.take().changes_since(before) == []


def test_a_killed_component_and_a_killed_machine_are_named_and_nothing_is_left(stack: Stack, name: str) -> None:
    before = host_snapshot.take()
    topology = _up(name, stack)
    machines = bring_up.running(topology)
    _kill(topology, "tpu-node", "kubelet")
    os.kill(machines["gpu-node"].init_pid, signal.SIGKILL)
    _until_gone(machines["gpu-node"].init_pid)
    report = status.look(name)
    assert not report.well
    assert "tpu-node: kubelet ended with status -9" in report.text
    assert "gpu-node   is gone" in report.text
    down.remove(topology)
    assert host_snapshot.take().changes_since(before) == []


def _kill(topology: Topology, machine: str, component: str) -> None:
    members = cgroups.processes(registry.machine_spec(topology, machine).cgroup)
    found = [pid for pid in members if Path(f"/proc/{pid}/comm").read_text().strip() == component]
    assert len(found) == 1
    os.kill(found[0], signal.SIGKILL)
    _until_gone(found[0])


def _until_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 10)[0], f"process {pid} did not end"
    os.close(descriptor)
