"""Whether NetworkPolicies let a pod reach an address outside of the cluster, as Kubernetes defines them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any

from tools.kube.kinds import NETWORK_POLICY

__all__ = ["NETWORK_POLICY", "Egress", "egress"]

Object = dict[str, Any]
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


def egress(policies: Iterable[Object], labels: Mapping[str, str], address: IPv4Address, port: int) -> Egress:
    """What policies say of a TCP connection to an address that belongs to no pod.

    Args:
        policies: all of the pod's namespace.
        labels: of the pod.
        address, port: where it connects to.
    """
    chosen = [each for each in policies if _is_for_egress(each) and _selects(each["spec"]["podSelector"], labels)]
    rules = [rule for each in chosen for rule in each["spec"].get("egress") or []]
    open_way = any(_has_port(rule, "TCP", port) and _reaches(rule, address) for rule in rules)
    names = tuple(each["metadata"]["name"] for each in chosen)
    dns = any(_has_port(rule, "UDP", _DNS) for rule in rules)
    why = () if open_way else tuple(_why(each, port) for each in chosen)
    return Egress(names, open_way or not chosen, dns or not chosen, why)


def _is_for_egress(policy: Object) -> bool:
    spec = policy["spec"]
    return "Egress" in spec.get("policyTypes", ["Egress"] if "egress" in spec else [])


def _selects(selector: Object, labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions") or [])


def _expression(expression: Object, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _has_port(rule: Object, protocol: str, port: int) -> bool:
    """Whether a rule is about a port; a named one is a pod's and means nothing outside."""
    if not rule.get("ports"):
        return True
    for each in rule["ports"]:
        if each.get("protocol", "TCP") != protocol:
            continue
        first = each.get("port")
        if first is None or (isinstance(first, int) and first <= port <= each.get("endPort", first)):
            return True
    return False


def _reaches(rule: Object, address: IPv4Address) -> bool:
    """Whether a rule's peers have an address; only ipBlocks are about anything but pods."""
    if not rule.get("to"):
        return True
    blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
    return any(
        _within(address, block["cidr"]) and not any(_within(address, each) for each in block.get("except") or [])
        for block in blocks
    )


def _within(address: IPv4Address, cidr: str) -> bool:
    network = ip_network(cidr, strict=False)
    return isinstance(network, IPv4Network) and address in network


def _why(policy: Object, port: int) -> str:
    name, rules = policy["metadata"]["name"], policy["spec"].get("egress") or []
    meant = [rule for rule in rules if _has_port(rule, "TCP", port)]
    if not rules:
        return f"{name} allows nothing to go out"
    if not meant:
        return f"{name} has no rule for port {port}"
    peers = [peer for rule in meant for peer in rule.get("to") or []]
    if not any("ipBlock" in peer for peer in peers):
        return f"{name} allows port {port} by selectors, which select pods of the cluster and never an outside address"
    blocks = [f"{each['cidr']} without {each.get('except', [])}" for peer in peers if (each := peer.get("ipBlock"))]
    return f"{name} allows port {port} to {', '.join(blocks)} only"
