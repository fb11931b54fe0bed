"""From built binaries to everything ready: the order of the phases and what may run side by side."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.local import addresses, components, control_plane, down, network, node, pki, preflight, registry
from tools.cluster.local.components import Programs
from tools.cluster.local.machine import RunningMachine, attach, launch
from tools.cluster.local.topology import Topology
from tools.install.commands import Commands
from tools.install.stack import Sources, install
from tools.paths import CHECKOUT
from tools.stack import Stack

_VALUES = CHECKOUT / "manifests" / "stack" / "local"
_HOST_LOCK = Path("/run")  # any directory of the host serves: only one `up` chooses addresses at a time


@dataclass
class Clock:
    """Tells and records the phases with the seconds since the start.

    Attributes:
        say: where the lines go.
        phases: seconds after the start at which each phase ended.
    """

    say: Callable[[str], None]
    phases: dict[str, float] = field(default_factory=dict)
    _start: float = field(default_factory=time.monotonic)

    def __call__(self, phase: str) -> None:
        self.phases[phase] = time.monotonic() - self._start
        self.say(f"{self.phases[phase]:6.1f} s  {phase}")


def bring_up(name: str, stack: Stack, say: Callable[[str], None]) -> Topology:
    """Start a cluster and install the stack on it.

    Args:
        name: the cluster's name; what an earlier, unfinished run of it left is removed first.
        stack: the built stack.
        say: told each phase as it ends.

    Raises:
        UserError: the machine cannot run it, or a component failed.
    """
    preflight.check(preflight.look(registry.cluster_directory(name)))
    clock = Clock(say)
    if (left := registry.load(name)) is not None:
        down.remove(left)
        clock("removed what an earlier run left")
    programs = _programs(stack)
    topology, machines = _machines(name, stack)
    clock("machines and links")
    pki.make(topology, stack.bin("kubeadm"))
    clock("certificates")
    with ThreadPoolExecutor() as pool:
        loading = [
            pool.submit(_prepare_node, topology, found.name, machines, programs, stack) for found in topology.nodes
        ]
        control_plane.start(topology, machines["control"], programs)
        clock("control plane ready")
        commands = kube_commands(topology, stack)
        _bootstrap(topology, machines, commands)
        installing = pool.submit(install, commands, _sources(stack), clock)
        for done in loading:
            done.result()
        clock("images loaded")
        for found in topology.nodes:
            node.start_kubernetes(topology, found, machines[found.name], programs)
        commands.wait("create", *(f"node/{found.name}" for found in topology.nodes), seconds=60)
        commands.wait("condition=Ready", "node", "--all", seconds=60)
        clock("nodes ready")
        while not installing.done():
            control_plane.refuse_dead(list(machines.values()))
            time.sleep(0.5)  # watches the machines while the installation waits on the API
        installing.result()
    (topology.directory / "ready.json").write_text(yaml.safe_dump(clock.phases))
    clock("everything ready")
    return topology


def kube_commands(topology: Topology, stack: Stack) -> Commands:
    """kubectl and Helm for this cluster."""
    return Commands(stack.bin("kubectl"), stack.bin("helm"), topology.kubeconfig, topology.directory)


def running(topology: Topology) -> dict[str, RunningMachine]:
    """The machines of a cluster that are alive, by name."""
    found = {name: attach(registry.machine_spec(topology, name)) for name in _names(topology)}
    return {name: machine for name, machine in found.items() if machine is not None}


def is_ready(topology: Topology) -> bool:
    """Whether `bring_up` ended well and nothing has died since."""
    machines = running(topology)
    complete = (topology.directory / "ready.json").exists() and set(machines) == set(_names(topology))
    return complete and not any(machine.deaths() for machine in machines.values())


def _names(topology: Topology) -> list[str]:
    return [topology.fabric, *(machine.name for machine in topology.machines)]


def _machines(name: str, stack: Stack) -> tuple[Topology, dict[str, RunningMachine]]:
    with registry.exclusive(_HOST_LOCK):
        topology = Topology(name, addresses.choose(network.host_networks()), registry.cluster_directory(name))
        registry.save(topology)
        machines = {each: launch(registry.machine_spec(topology, each)) for each in _names(topology)}
        pids = {each: machine.init_pid for each, machine in machines.items() if each != topology.fabric}
        nft = ["env", *(f"{key}={value}" for key, value in stack.host_env().items()), "nft"]
        network.connect(topology, machines[topology.fabric].init_pid, pids, nft)
    return topology, machines


def _prepare_node(
    topology: Topology, name: str, machines: dict[str, RunningMachine], programs: Programs, stack: Stack
) -> None:
    found = next(each for each in topology.nodes if each.name == name)
    node.write_configuration(topology, found, programs, machines[name].spec.cgroup)
    node.start_runtime(topology, found, machines[name], programs)
    node.import_images(machines[name], programs, sorted(stack.images.values()))


def _bootstrap(topology: Topology, machines: dict[str, RunningMachine], commands: Commands) -> None:
    # kubeadm's client certificate for the API server's calls to kubelets has no group (kubeadm 1.36).
    subject = {"kind": "User", "name": "kube-apiserver-kubelet-client", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "ClusterRole", "name": "system:kubelet-api-admin", "apiGroup": "rbac.authorization.k8s.io"}
    binding: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "local-cluster:apiserver-kubelet-client"},
        "roleRef": role,
        "subjects": [subject],
    }
    dns = [document for document in yaml.safe_load_all((_VALUES / "coredns.yaml").read_text()) if document]
    for document in dns:
        if document["kind"] == "Service":
            document["spec"]["clusterIP"] = str(topology.plan.dns)
    commands.apply(binding, *dns)
    balancer = components.load_balancer(topology)
    machines["control"].start(balancer)


def _programs(stack: Stack) -> Programs:
    return Programs(stack.bin("kubectl").parent, stack.host_env(), stack.cni, stack.pause_image)


def _sources(stack: Stack) -> Sources:
    return Sources(stack.charts, stack.crds, _VALUES)
