"""Nine pods on a local cluster, and their network namespaces from the outside: the bench's table on the real thing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.policy_generated import NAMESPACE_LABELS, NAMESPACES, PODS, Places
from tests.policy_objects import Object, namespace
from tests.stack.policy_bench import PORTS, SERVED, cells
from tests.stack.probes import Cell, Prober
from tests.stack.wires import Namespace
from tools.cluster.local import bring_up
from tools.cluster.local.topology import Topology
from tools.kube.client import Kube
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY, NODE, POD, SERVICE_ACCOUNT
from tools.kube.pods import is_ready
from tools.netpolicy.oracle import World

_MORE_LABELS = {"x/a": {"tier": "front"}, "y/b": {"tier": "back"}, "y/c": {"tier": "front"}, "z/a": {"tier": "back"}}


@dataclass(frozen=True)
class PolicyWorld:
    """What tests of policies need of a cluster.

    Attributes:
        kube: its administrator.
        topology: the cluster.
        pods: `namespace/name` to node and address.
        spaces: network namespaces by name: pods, nodes and the fabric.
        prober: serves in pods and nodes, asks from everywhere.
    """

    kube: Kube
    topology: Topology
    pods: dict[str, tuple[str, str]]
    spaces: dict[str, Namespace]
    prober: Prober

    @property
    def nodes(self) -> dict[str, str]:
        """Addresses of the nodes."""
        return {each.name: str(each.address) for each in self.topology.nodes}

    @property
    def places(self) -> Places:
        """What blocks may be about here."""
        plan = self.topology.plan
        ranges = [str(each.pods) for each in self.topology.nodes]
        holes = (ranges[0], str(plan.load_balancers), str(plan.nodes))
        return Places(("0.0.0.0/0", str(plan.pods), ranges[1], f"{self.topology.nodes[1].address}/32"),
                      {"0.0.0.0/0": holes, str(plan.pods): (ranges[0],)})  # fmt: skip

    def cells(self) -> list[Cell]:
        """The whole table: from pods, nodes and outside to pods, and from pods to nodes."""
        return cells(self.pods, self.nodes, self.spaces["fabric"].addresses, ())

    def world(self) -> World:
        """What the API server has now, for the oracle."""
        kinds = (NAMESPACE, POD, NETWORK_POLICY, NODE)
        return World(*(self.kube.objects(kind) for kind in kinds))

    def replace(self, policies: list[Object]) -> None:
        """Have these policies and no others."""
        for each in self.kube.objects(NETWORK_POLICY):
            self.kube.delete(NETWORK_POLICY, each["metadata"]["name"], each["metadata"]["namespace"])
        for each in policies:
            self.kube.create(each)


@contextmanager
def policy_world(topology: Topology, image: str) -> Iterator[PolicyWorld]:
    """Make namespaces and pods on a running cluster, and find them; the pods end with their namespaces or the cluster.

    Args:
        topology: the cluster.
        image: agnhost, which waits.
    """
    kube = Kube(topology.kubeconfig, f"kubernetes-super-admin@{topology.name}")
    for name in NAMESPACES:
        kube.create(namespace(name, NAMESPACE_LABELS[name]))
        # Without its account, made by the controllers a moment later, no pod is taken.
        account = Selection(SERVICE_ACCOUNT, name, "default")
        converge(kube, f"the account of {name}", account, lambda it: "" if it else "it is not there", budget=30)
        for index, pod in enumerate(PODS):
            kube.create(
                pod_of_agnhost(f"{name}/{pod}", topology.nodes[(index + len(name) + ord(name)) % 2].name, image)
            )
    found: dict[str, Object] = {}
    for name in NAMESPACES:
        ready = converge(kube, f"pods of {name} to be ready", Selection(POD, name), _lacking, budget=90)
        found |= {f"{name}/{each['metadata']['name']}": each for each in ready.objects}
    machines = bring_up.running(topology)
    at = {where: _process_of(each["metadata"]["uid"]) for where, each in found.items()}
    at |= {name: machine.init_pid for name, machine in machines.items() if name != topology.control.name}
    addresses: dict[str, tuple[str, ...]] = {where: (each["status"]["podIP"],) for where, each in found.items()}
    addresses |= {each.name: (str(each.address),) for each in topology.nodes}
    addresses[topology.fabric] = (str(topology.plan.fabric.ip), str(topology.plan.hub))
    spaces = {name: _space(pid, addresses[name]) for name, pid in at.items()}
    prober = Prober(spaces, SERVED, silent=[topology.fabric])  # the model hub serves there
    try:
        pods = {where: (each["spec"]["nodeName"], each["status"]["podIP"]) for where, each in found.items()}
        yield PolicyWorld(kube, topology, pods, spaces, prober)
    finally:
        prober.close()
        for each in spaces.values():
            os.close(each.descriptor)


def _space(pid: int, addresses: tuple[str, ...]) -> Namespace:
    return Namespace(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC), addresses)


def _process_of(uid: str) -> int:
    """A process of a pod: its groups are named by the pod's uid."""
    for entry in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            if f"/pod{uid}/" in entry.read_text():
                return int(entry.parent.name)
        except OSError:  # it has ended meanwhile
            continue
    raise LookupError(f"no process of pod {uid}")


def _lacking(pods: list[Object]) -> str:
    ready = [each["metadata"]["name"] for each in pods if is_ready(each)]
    return "" if len(ready) == len(PODS) else f"ready so far: {ready}"


def pod_of_agnhost(where: str, node: str, image: str) -> Object:
    """A pod `namespace/name` that waits on a node."""
    space, _, name = where.partition("/")
    container = {"name": "main", "image": image, "imagePullPolicy": "IfNotPresent", "args": ["pause"]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": space, "name": name, "labels": {"pod": name, **_MORE_LABELS.get(where, {})}},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 0,
            "tolerations": [{"operator": "Exists"}],
            "automountServiceAccountToken": False,
            "containers": [{**container, "ports": PORTS.get(name, [])}],
        },
    }
