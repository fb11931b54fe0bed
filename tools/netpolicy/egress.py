"""Whether NetworkPolicies of one namespace let a pod reach an address outside of the cluster. Pure.

It needs nothing but what a user of that namespace may read; `oracle` answers more and needs the whole cluster.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address

from tools.netpolicy.oracle import name_of
from tools.netpolicy.rules import EGRESS, governs, has_port, in_block, rules, selects
from tools.netpolicy.world import Object

_DNS = 53


@dataclass(frozen=True)
class Egress:
    """What the policies of a namespace say of one way out.

    Attributes:
        policies: names of those that select the pod for egress; without one everything is allowed.
        allowed: whether the address is reached.
        dns: whether names can be asked for, by UDP at port 53.
        why: for each policy that does not let it through, what its rules do instead.
    """

    policies: tuple[str, ...]
    allowed: bool
    dns: bool
    why: tuple[str, ...]


def egress(policies: Iterable[Object], pod: Object, address: IPv4Address, port: int) -> Egress:
    """What policies say of a TCP connection to an address that belongs to no pod.

    Args:
        policies: all of the pod's namespace.
        pod: which connects.
        address, port: where it connects to.
    """
    chosen = [each for each in policies if governs(each, EGRESS) and selects(each, pod)]
    listed = [rule for each in chosen for rule in rules(each, EGRESS)]
    open_way = any(has_port(rule.get("ports"), None, "TCP", port) and _reaches(rule, address) for rule in listed)
    dns = any(has_port(rule.get("ports"), None, "UDP", _DNS) for rule in listed)
    why = () if open_way else tuple(_why(each, port) for each in chosen)
    return Egress(tuple(map(name_of, chosen)), open_way or not chosen, dns or not chosen, why)


def _reaches(rule: Object, address: IPv4Address) -> bool:
    """Whether a rule's peers have an address; only ipBlocks are about anything but pods."""
    peers = rule.get("to") or []
    return not peers or any("ipBlock" in peer and in_block(peer["ipBlock"], address) for peer in peers)


def _why(policy: Object, port: int) -> str:
    name, listed = name_of(policy), rules(policy, EGRESS)
    meant = [rule for rule in listed if has_port(rule.get("ports"), None, "TCP", port)]
    if not listed:
        return f"{name} allows nothing to go out"
    if not meant:
        return f"{name} has no rule for port {port}"
    peers = [peer for rule in meant for peer in rule.get("to") or []]
    if not any("ipBlock" in peer for peer in peers):
        return f"{name} allows port {port} by selectors, which select pods of the cluster and never an outside address"
    blocks = [f"{each['cidr']} without {each.get('except', [])}" for peer in peers if (each := peer.get("ipBlock"))]
    return f"{name} allows port {port} to {', '.join(blocks)} only"
