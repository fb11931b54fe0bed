"""The host stays as it was: compared before and after clusters that ended in every way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.live import host_snapshot
from tests.live.conftest import Start
from tools.cluster.local import bring_up, down, status
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


def test_killed_components_and_a_killed_machine_are_named_and_nothing_is_left(start_bare: Start) -> None:
    before = host_snapshot.take()
    topology = start_bare("killed")
    killed = set()
    for name, machine in bring_up.running(topology).items():
        for component, pid in machine.components().items():
            machine.run(["kill", "-9", str(pid)])
            killed.add((name, component))
    _until(lambda: not any(machine.components() for machine in bring_up.running(topology).values()))
    assert {(death.machine, death.component) for death in bring_up.deaths(topology)} == killed
    gpu_node = bring_up.running(topology)["gpu-node"]
    os.kill(gpu_node.init_pid, signal.SIGKILL)
    _until(lambda: "gpu-node" not in bring_up.running(topology))
    report = status.look(topology.name)
    assert not report.well
    assert "tpu-node: kubelet ended with status -9" in report.text
    assert "gpu-node   is gone" in report.text
    assert ("gpu-node", "machine") in {(death.machine, death.component) for death in bring_up.deaths(topology)}
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


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 10 s"
        time.sleep(0.05)
