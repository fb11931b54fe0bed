"""From built binaries to everything ready: the order of the phases and what may run side by side."""

import secrets
import signal
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.identity import ANCHOR, STANDINS
from tools.cluster.local import addresses, components, control_plane, network, node, outside, pki, registry
from tools.cluster.local.components import Programs
from tools.cluster.local.machine import RunningMachine, attach, kill, launch, read_deaths
from tools.cluster.local.policy import account as policy_account
from tools.cluster.local.topology import Machine, Topology
from tools.cluster.provider import Death
from tools.install.commands import Commands
from tools.install.stack import Sources, install
from tools.install.variants import LOCAL
from tools.kube.model_hub import standin_of
from tools.stack import Stack

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


# Installs something on a cluster whose API server is ready and whose nodes are about to be.
Install = Callable[[Commands, Sources, Clock], None]


def bring_up(name: str, stack: Stack, say: Callable[[str], None], install: Install = install) -> Topology:
    """Start a cluster and install the stack on it.

    Args:
        name: the cluster's name; there must be nothing of it.
        stack: the built stack.
        say: told each phase as it ends.
        install: what is installed while the nodes start.

    Raises:
        UserError: the machine cannot run it, or a component failed.
    """
    clock = Clock(say)
    built = programs(stack)
    try:
        topology = _start(name, stack, built, clock, install)
    except BaseException:
        # Ends at once what still waits for the cluster; the logs stay until the next `up` or `down`.
        if (failed := registry.load(name)) is not None:
            kill(failed.cgroup)
        raise
    clock("everything ready")
    registry.note_ready(topology, clock.phases, stack.root.name)
    return topology


def _start(name: str, stack: Stack, programs: Programs, clock: Clock, install: Install) -> Topology:
    topology, machines = _machines(name, stack)
    clock("machines and links")
    for found in topology.nodes:
        node.write_configuration(topology, found, programs, machines[found.name].spec.cgroup)
        node.provide_images(topology, found, machines[found.name], programs, stack)
    clock("images")
    pki.make(topology, stack.bin("kubeadm"))
    clock("certificates")
    control_plane.start(topology, machines["control"], programs)
    clock("control plane ready")
    commands = kube_commands(topology, stack)
    _bootstrap(topology, machines, commands)
    with ThreadPoolExecutor() as pool:
        work = [pool.submit(install, commands, _sources(stack), clock)]
        work += [
            pool.submit(_node, topology, each, machines[each.name], programs, stack, clock) for each in topology.nodes
        ]
        _watch(work, topology, list(machines.values()))
    return topology


def kube_commands(topology: Topology, stack: Stack) -> Commands:
    """kubectl and Helm for this cluster."""
    return Commands(stack.bin("kubectl"), stack.bin("helm"), topology.kubeconfig, topology.directory)


def running(topology: Topology) -> dict[str, RunningMachine]:
    """The machines of a cluster that are alive, by name."""
    found = {name: attach(registry.machine_spec(topology, name)) for name in topology.machine_names}
    return {name: machine for name, machine in found.items() if machine is not None}


def is_ready(topology: Topology) -> bool:
    """Whether `bring_up` ended well and nothing has died since."""
    return registry.record(topology) is not None and not deaths(topology)


def deaths(topology: Topology) -> list[Death]:
    """Components that ended without being asked to, and machines that are gone with all that ran in them."""
    alive = running(topology)
    specs = [registry.machine_spec(topology, name) for name in topology.machine_names]
    gone = [Death(s.name, "machine", -signal.SIGKILL, Path(s.logs) / "init.log") for s in specs if s.name not in alive]
    return [*gone, *(death for spec in specs for death in read_deaths(spec))]


def _machines(name: str, stack: Stack) -> tuple[Topology, dict[str, RunningMachine]]:
    with registry.exclusive(_HOST_LOCK):
        plan = addresses.choose(network.host_networks())
        topology = Topology(name, secrets.token_hex(3), plan, registry.cluster_directory(name))
        registry.save(topology)
        machines = {each: launch(registry.machine_spec(topology, each)) for each in topology.machine_names}
        pids = {each: machine.init_pid for each, machine in machines.items() if each != topology.fabric}
        nft = ["env", *(f"{key}={value}" for key, value in stack.host_env().items()), "nft"]
        network.connect(topology, machines[topology.fabric].init_pid, pids, nft)
    return topology, machines


def _node(
    topology: Topology, found: Machine, machine: RunningMachine, programs: Programs, stack: Stack, clock: Clock
) -> None:
    node.start_runtime(topology, found, machine, programs)
    node.wait_runtime(machine)
    node.start_kubernetes(topology, found, machine, programs)
    commands = kube_commands(topology, stack)
    commands.wait("create", f"node/{found.name}", seconds=60)
    commands.wait("condition=Ready", f"node/{found.name}", seconds=60)
    clock(f"{found.name}: ready")


def _watch(work: list[Future[None]], topology: Topology, machines: list[RunningMachine]) -> None:
    # While the work waits on the API, a component may die: that is the better explanation.
    pending = set(work)
    try:
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            control_plane.refuse_dead(machines)
            for future in done:
                future.result()
    except BaseException:
        kill(topology.cgroup)  # else the rest of the work would wait for its own time-outs
        raise


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
    dns = [document for document in yaml.safe_load_all((LOCAL.values / "coredns.yaml").read_text()) if document]
    for document in dns:
        if document["kind"] == "Service":
            document["spec"]["clusterIP"] = str(topology.plan.dns)
        if document["kind"] == "ConfigMap":
            document["data"] = {
                name: text.replace("MODEL_HUB_ADDRESS", str(topology.plan.hub))
                for name, text in document["data"].items()
            }
    # So that whoever is given this cluster as any existing one knows what it is.
    marked = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ANCHOR, "labels": {STANDINS: "local"}}}
    told = (standin_of(topology.plan), outside.standin_of(topology.plan))
    commands.apply(marked, binding, *policy_account.documents(), *dns, *told)
    machines[topology.fabric].start(components.model_hub(topology))
    machines[topology.fabric].start(components.outside(topology))
    balancer = components.load_balancer(topology)
    machines["control"].start(balancer)


def programs(stack: Stack) -> Programs:
    """Where the built stack has what components are started from."""
    return Programs(stack.bin("kubectl").parent, stack.host_env(), stack.cni, stack.pause_image)


def _sources(stack: Stack) -> Sources:
    return Sources(stack.charts, stack.crds, LOCAL)
