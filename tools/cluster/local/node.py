"""Start a node: its runtime, its images, its kubelet, its Service proxy, its device plugin."""

import subprocess
from pathlib import Path

from tools.cluster.local import components
from tools.cluster.local.components import Programs
from tools.cluster.local.machine import RunningMachine
from tools.cluster.local.topology import Machine, Topology
from tools.errors import UserError


def write_configuration(topology: Topology, node: Machine, programs: Programs, cgroup: str) -> None:
    """Write the configuration files of everything that runs on a node."""
    directory, credentials = topology.machine_directory(node.name), topology.directory / "credentials"
    networks = directory / "net.d"
    networks.mkdir(exist_ok=True)
    (networks / "10-pods.conflist").write_text(components.cni_config(topology, node))
    (directory / "containerd.toml").write_text(components.containerd_config(programs, networks))
    (directory / "kubelet.yaml").write_text(components.kubelet_config(topology, node, credentials, cgroup))
    (directory / "kube-proxy.yaml").write_text(components.kube_proxy_config(topology, credentials))


def start_runtime(topology: Topology, node: Machine, machine: RunningMachine, programs: Programs) -> None:
    """Start containerd."""
    machine.start(components.containerd(programs, topology.machine_directory(node.name) / "containerd.toml"))


def import_images(machine: RunningMachine, programs: Programs, archives: list[Path]) -> None:
    """Load image archives into a node's runtime, which must be up.

    Raises:
        UserError: an archive was refused.
    """
    ctr = ["ctr", "--address", components.CONTAINERD_SOCKET, "--connect-timeout", "20s", "--namespace", "k8s.io"]
    for archive in archives:
        try:
            machine.run([*ctr, "images", "import", str(archive)], programs.environment)
        except subprocess.CalledProcessError as error:
            raise UserError(f"image archive {archive} to load on {machine.spec.name}", error.stderr[-800:]) from None


def start_kubernetes(topology: Topology, node: Machine, machine: RunningMachine, programs: Programs) -> None:
    """Start kubelet, Service proxy and device plugin; the API server must be ready."""
    directory, credentials = topology.machine_directory(node.name), topology.directory / "credentials"
    machine.start(components.kubelet(node, programs, directory / "kubelet.yaml", credentials))
    machine.start(components.kube_proxy(node, programs, directory / "kube-proxy.yaml"))
    machine.start(components.device_plugin(node, programs))
