"""Inside of a pod's or a node's network on the local cluster: what is tried there comes from nobody else."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.local import bring_up, cgroups, registry
from tools.cluster.local.topology import Topology
from tools.kube.client import Kube, Object
from tools.netpolicy.world import Address, End, NodeEnd, PodEnd
from tools.probe.verdict import ProbeFailed
from tools.stack import locate_stack

# Of Istio's proxy: what this user sends is not captured by the pod's own sidecar (istio-iptables, --proxy-uid).
PROXY_USER = "1337"
_SECONDS = 60.0


@dataclass(frozen=True)
class NetworkSource:
    """A network namespace on this machine.

    Attributes:
        name: whose.
        end: the same as policies see it.
        pid: a process in it; 0 for the machine's own network.
        agnhost: the program on this machine.
    """

    name: str
    end: End
    pid: int
    agnhost: str

    def run(self, command: str) -> str:
        """Run a shell command in it, as the proxy's user, who may not look into this machine's home directories."""
        enter = [f"--net=/proc/{self.pid}/ns/net"] if self.pid else []
        words = ["nsenter", *enter, f"--setuid={PROXY_USER}", f"--setgid={PROXY_USER}", "--", "sh", "-c", command]
        try:
            with Path(self.agnhost).open("rb") as program:
                number = program.fileno()
                done = subprocess.run(
                    words, capture_output=True, text=True, timeout=_SECONDS, check=False, pass_fds=[number],
                    env={"PATH": os.defpath, "A": f"/proc/self/fd/{number}"},
                )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProbeFailed(f"{self.name}: {error}") from None
        if done.returncode:
            raise ProbeFailed(f"{self.name}: exit status {done.returncode}: {done.stderr.strip()}")
        return done.stdout


class Networks:
    """The networks of a local cluster's pods and nodes.

    Args:
        topology: the cluster.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._agnhost = str(locate_stack().bin("agnhost"))

    def of_pod(self, pod: Object) -> NetworkSource:
        """Inside of a pod's network.

        Raises:
            ProbeFailed: no process of it runs.
        """
        meta = pod["metadata"]
        end = PodEnd(meta["namespace"], meta["name"])
        return NetworkSource(f"pod {end}", end, self.pid(pod), self._agnhost)

    def of_node(self, name: str) -> NetworkSource:
        """In a node's own network.

        Raises:
            ProbeFailed: it does not run.
        """
        machine = bring_up.running(self._topology).get(name)
        if machine is None:
            raise ProbeFailed(f"node {name} does not run")
        return NetworkSource(f"node {name}", NodeEnd(name), machine.init_pid, self._agnhost)

    def outside(self) -> NetworkSource:
        """This machine, which is no part of the cluster."""
        address = str(self._topology.plan.host.ip)
        return NetworkSource(f"the machine that the cluster runs on, {address}", Address(address), 0, self._agnhost)

    def pid(self, pod: Object) -> int:
        """A process of a pod, as this machine numbers it.

        Raises:
            ProbeFailed: none runs.
        """
        mark = f"pod{pod['metadata']['uid']}/"
        for pid in sorted(cgroups.processes(self._topology.cgroup)):
            if any(mark in line for line in _groups(pid)):
                return pid
        raise ProbeFailed(f"no process of pod {pod['metadata']['name']} runs on this machine")


def networks_of(kube: Kube) -> Networks | None:
    """The networks of the local cluster that a client talks to; None if it is another cluster, or another user's."""
    for name in registry.names():
        topology = registry.load(name)
        if topology is not None and topology.kubeconfig == kube.kubeconfig:
            return Networks(topology)
    return None


def _groups(pid: int) -> Iterator[str]:
    try:
        yield from Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:  # it has just ended
        return
