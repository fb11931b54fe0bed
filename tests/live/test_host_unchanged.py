"""The host stays as it was: compared before and after clusters that ended in every way."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from tests.live import host_snapshot
from tests.live.conftest import Start
from tools.cluster.local import bring_up, cgroups, down, registry, status
from tools.cluster.local.topology import Topology
from tools.paths import CHECKOUT
from tools.stack import Stack


def test_nothing_is_left_after_down(stack: Stack, start_bare: Start) -> None:
    before = host_snapshot.take()
    topology = start_bare("down")
    commands = bring_up.kube_commands(topology, stack)
    commands.wait("condition=Available", "deployment/coredns", "--namespace=kube-system", seconds=60)
    while_up = [row for row in host_snapshot.take().changes_since(before) if topology.host_link not in row]
    assert not [row for row in while_up if row.startswith(("sysctls", "modules", "packet_filter", "mounts"))]
    down.remove(topology)
    assert host_snapshot.take().changes_since(before) == []


def test_a_killed_component_and_a_killed_machine_are_named_and_nothing_is_left(start_bare: Start) -> None:
    before = host_snapshot.take()
    topology = start_bare("killed")
    machines = bring_up.running(topology)
    _kill(topology, "tpu-node", "kubelet")
    os.kill(machines["gpu-node"].init_pid, signal.SIGKILL)
    _until_gone(machines["gpu-node"].init_pid)
    report = status.look(topology.name)
    assert not report.well
    assert "tpu-node: kubelet ended with status -9" in report.text
    assert "gpu-node   is gone" in report.text
    down.remove(topology)
    assert host_snapshot.take().changes_since(before) == []


def test_up_that_is_killed_in_the_middle_leaves_nothing_that_down_does_not_remove() -> None:
    before = host_snapshot.take()
    command = [sys.executable, "-m", "tools.cli", "--name", f"test-{os.getpid()}-up"]
    try:
        with subprocess.Popen([*command, "up"], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as starting:
            assert starting.stdout is not None
            seen = next((line for line in starting.stdout if "control plane ready" in line), "it never came that far")
            starting.kill()
        assert "control plane ready" in seen
        assert host_snapshot.take().changes_since(before), "it outlives its starter, so there is something to remove"
    finally:
        subprocess.run([*command, "down"], check=True, cwd=CHECKOUT)
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
