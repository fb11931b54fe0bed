"""Which addresses a cluster uses: pure choice of a block that the host does not use itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from tools.errors import UserError

# Load balancers get addresses of the documentation ranges (RFC 5737): KServe leaves `status.url` unset or falls back
# for private ones (0.17 to 0.20), and nothing outside this machine can own them. 203.0.113.0/24 comes last: seen in use
# behind a sandbox's default route for its package mirror, which no look at routes can tell.
_LOAD_BALANCER_RANGES = [IPv4Network("198.51.100.0/24"), IPv4Network("192.0.2.0/24"), IPv4Network("203.0.113.0/24")]
# Where clouds serve a node's credentials to whoever asks (AWS, Azure, Google Cloud); link-local, so never routed.
METADATA = IPv4Address("169.254.169.254")
_CLUSTER_RANGES = [IPv4Network(f"10.{second}.0.0/16") for second in range(200, 224)]


@dataclass(frozen=True)
class AddressPlan:
    """All ranges of one cluster, cut out of one /16 and one /27.

    Attributes:
        block: the /16 that everything but the load balancers is cut out of.
        load_balancers: the /27 for Services of type LoadBalancer.
    """

    block: IPv4Network
    load_balancers: IPv4Network

    @property
    def nodes(self) -> IPv4Network:
        """The segment on which fabric, control plane and nodes meet."""
        return self._cut(0, 24)

    @property
    def host_link(self) -> IPv4Network:
        """The link between the host and the fabric."""
        return self._cut(1 << 8, 30)

    @property
    def services(self) -> IPv4Network:
        """Cluster IPs of Services."""
        return self._cut(32 << 8, 20)

    @property
    def pods(self) -> IPv4Network:
        """All pods (`clusterCIDR`)."""
        return self._cut(64 << 8, 18)

    @property
    def dns(self) -> IPv4Address:
        """Cluster IP of the DNS Service, the tenth by custom."""
        return self.services[10]

    @property
    def hub(self) -> IPv4Address:
        """Where models are downloaded from: outside of all ranges of pods, Services and nodes, as the real hub is."""
        return self.load_balancers[-2]

    @property
    def internet(self) -> IPv4Address:
        """Stands for every server on the internet that a service has nothing to do with."""
        return self.load_balancers[-3]

    @property
    def silent(self) -> IPv4Address:
        """Where packets vanish without an answer: a probe that is let in here has been let in by somebody else."""
        return self.load_balancers[-4]

    @property
    def host(self) -> IPv4Interface:
        """The host's own address on the link to the fabric."""
        return IPv4Interface((self.host_link[2], self.host_link.prefixlen))

    @property
    def fabric_to_host(self) -> IPv4Interface:
        """The fabric's address on the link to the host."""
        return IPv4Interface((self.host_link[1], self.host_link.prefixlen))

    @property
    def fabric(self) -> IPv4Interface:
        """The fabric's address among the nodes."""
        return self.machine(0)

    def machine(self, index: int) -> IPv4Interface:
        """Address on the node segment: 0 is the fabric, 10 the control plane, from 11 the nodes."""
        return IPv4Interface((self.nodes[1 + index], self.nodes.prefixlen))

    def node_pods(self, index: int) -> IPv4Network:
        """The /24 of pods on the node with this index, counted from 0."""
        return list(self.pods.subnets(new_prefix=24))[index]

    def _cut(self, offset: int, prefix: int) -> IPv4Network:
        return IPv4Network((int(self.block.network_address) + offset, prefix))


def choose(used: Iterable[IPv4Network]) -> AddressPlan:
    """Choose the first block and load-balancer range that overlap nothing in use.

    Args:
        used: networks that the host routes or that other clusters have reserved; default routes must be left out.

    Raises:
        UserError: every candidate overlaps something.
    """
    taken = list(used)
    block = _first_free(_CLUSTER_RANGES, taken)
    balancers = _first_free([cut for wide in _LOAD_BALANCER_RANGES for cut in wide.subnets(new_prefix=27)], taken)
    if block is None or balancers is None:
        wanted = "a /16 between 10.200.0.0 and 10.223.0.0" if block is None else "a /27 of the documentation ranges"
        raise UserError(
            f"{wanted} that no route of this machine overlaps",
            "all overlap one of: " + ", ".join(sorted(map(str, taken))),
            cause="other local clusters are running, or a VPN routes these ranges",
            next_step="llmisvc-conformance status --all; ip route",
        )
    return AddressPlan(block, balancers)


def _first_free(candidates: list[IPv4Network], taken: list[IPv4Network]) -> IPv4Network | None:
    return next((net for net in candidates if not any(net.overlaps(other) for other in taken)), None)
