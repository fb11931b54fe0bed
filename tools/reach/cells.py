"""Rows and columns of the table: who connects, and to what. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from tools.netpolicy.world import End
from tools.probe.verdict import Verdict


class Who(StrEnum):
    """Rows: kinds of places that connections come from.

    Attributes:
        GATEWAY, PICKER: the service's own, from inside of their network.
        SERVER: a pod with the labels of the service's servers, in its namespace.
        STRANGER: a pod of the service's namespace without its labels.
        OTHER: a pod of another namespace, on the servers' node, with the labels of gateway and picker.
        DEFAULT: a pod of a namespace without any labels, as `default` is.
        MONITORING: a pod that collects metrics, or of a namespace that is called so.
        FAR: a pod of another namespace on another node, with the labels of the servers.
        NODE: the node of whatever is connected to, where its kubelet asks from.
        OUTSIDE: outside of the cluster.
    """

    GATEWAY = "gateway"
    PICKER = "picker"
    SERVER = "server"
    STRANGER = "stranger"
    OTHER = "other"
    DEFAULT = "default"
    MONITORING = "monitoring"
    FAR = "far"
    NODE = "node"
    OUTSIDE = "outside"


class What(StrEnum):
    """Columns: kinds of targets.

    Impostors are pods of somebody else with the labels of DNS and istiod; what is beside DNS or istiod is another pod
    of its namespace. With a port behind it, a name is about that port: where the service needs another one.
    """

    SERVER = "server-8000"
    PICKER = "picker-9002"
    HEALTH = "picker-9003"
    METRICS = "picker-9090"
    INBOUND = "sidecar-15006"
    TUNNEL = "sidecar-15008"
    AGENT = "sidecar-15020"
    ENVOY = "sidecar-15090"
    GATE_HEALTH = "gateway-15021"
    GATE_AGENT = "gateway-15020"
    GATE_ENVOY = "gateway-15090"
    BALANCER = "load-balancer"
    BALANCER_TLS = "load-balancer-tls"
    STRANGER = "stranger-8080"
    API = "api-server"
    DNS_UDP = "dns-udp"
    DNS_TCP = "dns-tcp"
    ISTIOD = "istiod"
    HUB = "models"
    INTERNET = "internet"
    METADATA = "metadata"
    TENANT = "tenant"
    IMPOSTOR_DNS = "impostor-53"
    IMPOSTOR_ISTIOD = "impostor-15012"
    TENANT_SERVER = "tenant-8000"
    TENANT_PICKER = "tenant-9002"
    TENANT_API = "tenant-6443"
    BESIDE_DNS = "beside-dns"
    BESIDE_ISTIOD = "beside-istiod"
    DNS_METRICS = "dns-9153"
    ISTIOD_METRICS = "istiod-15014"
    HUB_OTHER = "models-443"
    API_OTHER = "api-server-10259"


# What belongs to the service's pods, by pod.
SIDECAR = (What.INBOUND, What.TUNNEL, What.AGENT, What.ENVOY)
OF_SERVER = (What.SERVER, *SIDECAR)
OF_PICKER = (What.PICKER, What.HEALTH, What.METRICS)
OF_GATEWAY = (What.GATE_HEALTH, What.GATE_AGENT, What.GATE_ENVOY)
OF_SERVICE = (*OF_SERVER, *OF_PICKER, *OF_GATEWAY)
IMPOSTORS = {
    What.IMPOSTOR_DNS: 53,
    What.IMPOSTOR_ISTIOD: 15012,
    What.TENANT_SERVER: 8000,
    What.TENANT_PICKER: 9002,
    What.TENANT_API: 6443,
}
OF_TENANT = (What.TENANT, *IMPOSTORS)
OTHERS = (
    What.BESIDE_DNS, What.BESIDE_ISTIOD, What.DNS_METRICS, What.ISTIOD_METRICS, What.HUB_OTHER, What.API_OTHER,
)  # fmt: skip
# Where the service's pods may want to go.
OUTWARDS = (
    What.API, What.DNS_UDP, What.DNS_TCP, What.ISTIOD, What.HUB, What.INTERNET, What.METADATA, *OF_TENANT,
    *OTHERS,
)  # fmt: skip
PORTS = {each: int(each.rpartition("-")[2]) for each in OF_SERVICE}

# Something of the target's own answered: packets got there, and back.
OPEN = frozenset({Verdict.ALLOWED, Verdict.REFUSED, Verdict.RESET})
CLOSED = frozenset({Verdict.DROPPED, Verdict.UNREACHABLE})

Cell = tuple[Who, What]


@dataclass(frozen=True)
class Target:
    """Where is connected to.

    Attributes:
        what: the column.
        address: an IP address; a Service's where clients use that.
        port: there.
        name: in words, for messages.
        ends: who is behind the address, as policies see it: each with the port there.
        protocol: TCP or UDP.
        node: of the pod that it is; empty if it is none.
    """

    what: What
    address: str
    port: int
    name: str
    ends: tuple[tuple[End, int], ...]
    protocol: str = "TCP"
    node: str = ""

    @property
    def place(self) -> str:
        """Address and port, as one writes them."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
