"""What one rule of a policy admits: peers and ports, by the text of networking.k8s.io/v1. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from tools.netpolicy.selectors import matches
from tools.netpolicy.world import IpAddress, Object, Party, World

PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True)
class Direction:
    """One of the two sides of a policy.

    Attributes:
        kind: as in policyTypes.
        rules: the field of the spec that has its rules.
        peers: the field of a rule that has its peers.
    """

    kind: str
    rules: str
    peers: str


INGRESS = Direction("Ingress", "ingress", "from")
EGRESS = Direction("Egress", "egress", "to")


def governs(policy: Object, direction: Direction) -> bool:
    """Whether a policy is about a direction.

    Where policyTypes says nothing: every policy is about ingress, and one that has egress rules about egress as well.
    """
    spec = policy["spec"]
    if types := spec.get("policyTypes"):
        return direction.kind in types
    return direction is INGRESS or bool(spec.get("egress"))


def selects(policy: Object, pod: Object) -> bool:
    """Whether a policy applies to a pod: one of its own namespace that podSelector takes; an absent one takes all."""
    meta = pod["metadata"]
    own = policy["metadata"]["namespace"] == meta["namespace"]
    return own and matches(policy["spec"].get("podSelector") or {}, meta.get("labels") or {})


def rules(policy: Object, direction: Direction) -> list[Object]:
    """The rules of a policy for a direction; null rules, as an empty `-` makes them, are rules without members."""
    return [each or {} for each in policy["spec"].get(direction.rules) or []]


def has_peer(world: World, namespace: str, peers: Iterable[Object] | None, party: Party, ip: IpAddress | None) -> bool:
    """Whether one of a rule's peers is the party; a rule without peers has everybody.

    Args:
        world: for the labels of namespaces.
        namespace: the policy's.
        peers: of the rule.
        party: the other end of the connection.
        ip: the address by which it is seen.
    """
    listed = list(peers or [])
    return not listed or any(_is_peer(world, namespace, each, party, ip) for each in listed)


def _is_peer(world: World, namespace: str, peer: Object, party: Party, ip: IpAddress | None) -> bool:
    if (block := peer.get("ipBlock")) is not None:
        return ip is not None and in_block(block, ip)
    if party.pod is None:
        # Selectors take pods; nodes, and pods in their networks, are taken by address only.
        return False
    meta = party.pod["metadata"]
    # An absent selector is not an empty one: an empty one takes everything.
    by_namespace, by_pod = peer.get("namespaceSelector"), peer.get("podSelector")
    if by_namespace is None and by_pod is None:
        return False
    if by_namespace is None:
        in_namespace = meta["namespace"] == namespace
    else:
        in_namespace = matches(by_namespace, world.labels_of_namespace(meta["namespace"]))
    return in_namespace and (by_pod is None or matches(by_pod, meta.get("labels") or {}))


def in_block(block: Mapping[str, object], ip: IpAddress | str) -> bool:
    """Whether an address is in an ipBlock and not in what it excepts."""
    address = ip_address(ip) if isinstance(ip, str) else ip
    excepted = block.get("except") or []
    assert isinstance(excepted, list)
    return _within(str(block["cidr"]), address) and not any(_within(str(each), address) for each in excepted)


def has_port(ports: Iterable[Object] | None, destination: Object | None, protocol: str, port: int) -> bool:
    """Whether one of a rule's ports is meant; a rule without ports has every one, of every protocol.

    Args:
        ports: of the rule.
        destination: the pod that is connected to, which names are looked up in; None where it is no pod.
        protocol, port: of the connection.
    """
    listed = list(ports or [])
    return not listed or any(_is_port(each, destination, protocol, port) for each in listed)


def _is_port(wanted: Object, destination: Object | None, protocol: str, port: int) -> bool:
    if wanted.get("protocol", "TCP") != protocol:
        return False
    number = wanted.get("port")
    if number is None:
        return True
    if isinstance(number, str):
        return destination is not None and (number, protocol, port) in set(named_ports(destination))
    last = wanted.get("endPort")
    return bool(number <= port <= (number if last is None else last))


def named_ports(pod: Object) -> Iterator[tuple[str, str, int]]:
    """Name, protocol and number of the ports that a pod's running containers name.

    Init containers end before the others start, but for those that are restarted: native sidecars.
    """
    spec = pod["spec"]
    lasting = [each for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or []), *lasting]:
        for each in container.get("ports") or []:
            if each.get("name"):
                yield each["name"], each.get("protocol", "TCP"), each["containerPort"]


def _within(cidr: str, address: IpAddress) -> bool:
    return address in ip_network(cidr, strict=False)
