"""Start a node: its runtime, its images, its kubelet, its Service proxy, its device plugin."""

import subprocess
import time
from pathlib import Path

import httpx

from tools.cluster.local import components, image_store
from tools.cluster.local.components import Programs
from tools.cluster.local.control_plane import refuse_dead
from tools.cluster.local.machine import RunningMachine
from tools.cluster.local.topology import Machine, Topology
from tools.errors import UserError
from tools.stack import Stack

_RUNTIME_SECONDS = 30.0


def write_configuration(topology: Topology, node: Machine, programs: Programs, cgroup: str) -> None:
    """Write the configuration files of everything that runs on a node."""
    directory, credentials = topology.machine_directory(node.name), topology.directory / "credentials"
    networks = directory / "net.d"
    networks.mkdir(exist_ok=True)
    (networks / "10-pods.conflist").write_text(components.cni_config(topology, node))
    (directory / "containerd.toml").write_text(
        components.containerd_config(programs, networks, _plugins(directory, programs))
    )
    (directory / "kubelet.yaml").write_text(components.kubelet_config(topology, node, credentials, cgroup))
    (directory / "kube-proxy.yaml").write_text(components.kube_proxy_config(topology, credentials))


def _plugins(directory: Path, programs: Programs) -> Path:
    """One directory with all CNI plugins: those of the stack, and the one that is this project's own."""
    plugins = directory / "cni-plugins"
    plugins.mkdir(exist_ok=True)
    for each in programs.cni.iterdir():
        (plugins / each.name).symlink_to(each)
    own = plugins / components.POLICY_PLUGIN
    own.write_text(components.policy_plugin())
    own.chmod(0o755)
    return plugins


def start_runtime(topology: Topology, node: Machine, machine: RunningMachine, programs: Programs) -> None:
    """Start containerd."""
    machine.start(components.containerd(programs, topology.machine_directory(node.name) / "containerd.toml"))


def provide_images(
    topology: Topology, node: Machine, machine: RunningMachine, programs: Programs, stack: Stack
) -> None:
    """Give a node the stack's images; its runtime must not be running yet.

    Raises:
        UserError: an archive was refused.
    """
    own = topology.machine_directory(node.name) / "containerd"
    store = image_store.locate(stack)
    if store is not None:
        image_store.lay(store, own)
        return
    start_runtime(topology, node, machine, programs)
    wait_runtime(machine)
    _import(machine, programs, sorted(stack.images.values()))
    machine.stop("containerd")
    machine.wait_stopped("containerd")
    image_store.save(stack, own)


def wait_runtime(machine: RunningMachine) -> None:
    """Wait until the runtime answers the kubelet's first question; a kubelet that asks too early exits.

    The question is `runtime.v1.RuntimeService/Version`, an empty message in a gRPC frame; only an answer has a body.

    Raises:
        UserError: it did not answer in time, or died.
    """
    socket = Path(f"/proc/{machine.init_pid}/root{components.CONTAINERD_SOCKET}")
    url, headers = (
        "http://cri/runtime.v1.RuntimeService/Version",
        {"content-type": "application/grpc", "te": "trailers"},
    )
    deadline = time.monotonic() + _RUNTIME_SECONDS
    seen = ""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket), http1=False, http2=True), timeout=5) as client:
        while True:
            try:
                if not socket.exists():
                    raise httpx.ConnectError("no socket yet")
                answer = client.post(url, content=b"\0\0\0\0\0", headers=headers)
                if answer.content:
                    return
                seen = answer.headers.get("grpc-message", "an empty answer")
            except httpx.TransportError as error:
                seen = f"{type(error).__name__}: {error}"
            refuse_dead([machine])
            if time.monotonic() > deadline:
                raise UserError(f"containerd on {machine.spec.name} to answer within {_RUNTIME_SECONDS:.0f} s", seen)
            time.sleep(0.05)  # polling a health question: it offers no event


def _import(machine: RunningMachine, programs: Programs, archives: list[Path]) -> None:
    ctr = ["ctr", "--address", components.CONTAINERD_SOCKET, "--connect-timeout", "20s", "--namespace", "k8s.io"]
    for archive in archives:
        try:
            machine.run([*ctr, "images", "import", str(archive)], programs.environment)
        except subprocess.CalledProcessError as error:
            raise UserError(f"image archive {archive} to load on {machine.spec.name}", error.stderr[-800:]) from None


def start_kubernetes(topology: Topology, node: Machine, machine: RunningMachine, programs: Programs) -> None:
    """Start policy agent, kubelet, Service proxy and device plugin; the API server must be ready."""
    directory, credentials = topology.machine_directory(node.name), topology.directory / "credentials"
    machine.start(components.policy_agent(topology, node, programs))  # first: no pod starts without it
    machine.start(components.kubelet(node, programs, directory / "kubelet.yaml", credentials))
    machine.start(components.kube_proxy(node, programs, directory / "kube-proxy.yaml"))
    machine.start(components.device_plugin(node, programs))
