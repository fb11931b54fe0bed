"""What a node must enforce: the decision's result and the rendering's input."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network


class Protocol(StrEnum):
    """Transport protocols that a policy may name, spelled as the API spells them."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


@dataclass(frozen=True)
class Node:
    """What the decision has to know of the node that it is made for.

    Attributes:
        name: as in a pod's `spec.nodeName`.
        pods: the range that the node's pods have their addresses from.
    """

    name: str
    pods: IPv4Network


@dataclass(frozen=True, order=True)
class Ports:
    """Destination ports of one protocol, `first` to `last`, both included."""

    protocol: Protocol
    first: int
    last: int


@dataclass(frozen=True)
class Allowance:
    """Peers that are let through.

    Attributes:
        peers: their addresses: disjoint, sorted.
        ports: disjoint and sorted; None for every port of every protocol.
    """

    peers: tuple[IPv4Network, ...]
    ports: tuple[Ports, ...] | None


@dataclass(frozen=True)
class PodRules:
    """What one pod of the node may receive and send.

    Attributes:
        pod: `namespace/name`.
        address: its address.
        ingress: what is let in, and nothing else; None if no policy isolates it.
        egress: the same for what it sends.
    """

    pod: str
    address: IPv4Address
    ingress: tuple[Allowance, ...] | None
    egress: tuple[Allowance, ...] | None


@dataclass(frozen=True)
class NodeRules:
    """Everything that a node must enforce.

    Attributes:
        range: the node's pod range; whatever else in it sends or is sent to is no pod that is known, and is dropped.
        pods: all pods on the node that have an address, sorted by it.
    """

    range: IPv4Network
    pods: tuple[PodRules, ...]
