"""What a local cluster consists of: pure data, derived from its name and its addresses."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from tools.cluster.local.addresses import AddressPlan

CONTROL_INDEX = 9
FIRST_NODE_INDEX = 10


@dataclass(frozen=True)
class Accelerator:
    """Accelerators that a node offers, labelled and tainted as on GKE.

    Attributes:
        resource: extended resource, for example `nvidia.com/gpu`.
        count: how many the device plugin offers.
        labels: node labels that GKE puts on such a node.
    """

    resource: str
    count: int
    labels: dict[str, str]


@dataclass(frozen=True)
class Machine:
    """One set of namespaces: the control plane or a node.

    Attributes:
        name: host name, and node name for nodes.
        address: its address on the node segment.
        pods: the pods' range on this node; None for the control plane.
        accelerator: what it offers; None for the control plane.
    """

    name: str
    address: IPv4Address
    pods: IPv4Network | None = None
    accelerator: Accelerator | None = None


# GKE's own labels for a T4 node pool and for ct6e-standard-4t (one host with 2x2 chips).
T4 = Accelerator(
    "nvidia.com/gpu",
    4,
    {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4", "cloud.google.com/gke-accelerator-count": "4"},
)
V6E = Accelerator(
    "google.com/tpu",
    4,
    {"cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice", "cloud.google.com/gke-tpu-topology": "2x2"},
)


@dataclass(frozen=True)
class Topology:
    """A whole cluster.

    Attributes:
        name: the cluster's name, unique for a user.
        id: six hexadecimal digits, unique on the machine: what the host sees of the cluster is named by it.
        plan: its addresses.
        directory: where its files live; private to root, removed by `down`.
    """

    name: str
    id: str
    plan: AddressPlan
    directory: Path
    fabric: str = "fabric"
    control: Machine = field(init=False)
    nodes: list[Machine] = field(init=False)

    def __post_init__(self) -> None:
        address = self.plan.machine
        object.__setattr__(self, "control", Machine("control", address(CONTROL_INDEX).ip))
        offers = {"gpu-node": T4, "tpu-node": V6E}
        nodes = [
            Machine(name, address(FIRST_NODE_INDEX + i).ip, self.plan.node_pods(i), accelerator)
            for i, (name, accelerator) in enumerate(offers.items())
        ]
        object.__setattr__(self, "nodes", nodes)

    @property
    def machine_names(self) -> list[str]:
        """Every set of namespaces: the fabric, the control plane, the nodes."""
        return [self.fabric, *(machine.name for machine in self.machines)]

    @property
    def machines(self) -> list[Machine]:
        """Control plane first, then the nodes."""
        return [self.control, *self.nodes]

    @property
    def kubeconfig(self) -> Path:
        """Administrator's kubeconfig, reachable from the host."""
        return self.directory / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """Who asked the API server to write what, a JSON event a line; an older one beside it when it was full."""
        return self.log(self.control.name, "audit")

    @property
    def host_link(self) -> str:
        """Name of the host's link into the fabric, at most 15 characters."""
        return f"llmisvc-{self.id}"

    @property
    def cgroup(self) -> str:
        """Resource group of all of the cluster, below every hierarchy's root."""
        return f"llmisvc-{self.id}"

    def machine_directory(self, name: str) -> Path:
        """Files of one machine."""
        return self.directory / "machines" / name

    def logs(self, machine: str) -> Path:
        """Directory of a machine's logs."""
        return self.directory / "logs" / machine

    def log(self, machine: str, component: str) -> Path:
        """Log file of a component."""
        return self.logs(machine) / f"{component}.log"
