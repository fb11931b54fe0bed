"""What NetworkPolicies allow the pods of a node: a pure function of recorded objects."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from tools.cluster.local.policy.blocks import addresses_of_block
from tools.cluster.local.policy.model import Allowance, Node, NodeRules, PodRules, Ports, Protocol
from tools.cluster.local.policy.pods import Pod, addressed
from tools.cluster.local.policy.selectors import selects

Object = Mapping[str, Any]

_ALL = (IPv4Network("0.0.0.0/0"),)
_EVERY_PORT = (0, 65535)


def decide(policies: Iterable[Object], pods: Iterable[Object], namespaces: Iterable[Object], node: Node) -> NodeRules:
    """What one node must enforce: ingress of its pods, and their egress, each for the node that the pod runs on.

    Args:
        policies: all NetworkPolicies.
        pods: all pods, of all nodes: they are peers.
        namespaces: all namespaces, for their labels.
        node: the node.
    """
    known = addressed(pods)
    labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in namespaces}
    by_namespace: dict[str, list[Object]] = defaultdict(list)
    for policy in policies:
        by_namespace[policy["metadata"]["namespace"]].append(policy)
    world = _World(known, labels)
    local = [pod for pod in known if pod.node == node.name]
    return NodeRules(node.pods, tuple(_rules(world, pod, by_namespace[pod.namespace]) for pod in local))


def types_of(spec: Object) -> set[str]:
    """Directions that a policy isolates: as the API server would fill them in where it does not say.

    Ingress always, Egress where there are egress rules (`policyTypes` in the API reference).
    """
    given = spec.get("policyTypes")
    return set(given) if given else {"Ingress", *(["Egress"] if spec.get("egress") else [])}


class _World:
    """The peers that there are; what a rule's peers are is worked out once, however many pods it is for."""

    def __init__(self, pods: Sequence[Pod], namespaces: Mapping[str, Mapping[str, str]]) -> None:
        self.pods = pods
        self._namespaces = namespaces
        self._found: dict[tuple[str, int], tuple[list[Pod], list[IPv4Network]]] = {}

    def peers(self, namespace: str, peer: Object) -> tuple[list[Pod], list[IPv4Network]]:
        """Pods that a peer selects, and addresses that it has in its block."""
        key = (namespace, id(peer))  # the objects outlive the decision, so no other can have this id
        if key not in self._found:
            if block := peer.get("ipBlock"):
                self._found[key] = ([], addresses_of_block(block))
            else:
                self._found[key] = ([pod for pod in self.pods if self._selects(namespace, peer, pod)], [])
        return self._found[key]

    def _selects(self, namespace: str, peer: Object, pod: Pod) -> bool:
        within, chosen = peer.get("namespaceSelector"), peer.get("podSelector")
        if within is None:
            # A peer that says nothing at all is refused by the API server; it means nobody.
            return chosen is not None and pod.namespace == namespace and selects(chosen, pod.labels)
        labels = self._namespaces.get(pod.namespace)
        # A namespace that is not known yet is not let in: it will be as soon as its labels are here.
        return labels is not None and selects(within, labels) and selects(chosen or {}, pod.labels)


def _rules(world: _World, pod: Pod, policies: Iterable[Object]) -> PodRules:
    mine = [policy for policy in policies if selects(policy["spec"].get("podSelector") or {}, pod.labels)]
    ingress = [policy for policy in mine if "Ingress" in types_of(policy["spec"])]
    egress = [policy for policy in mine if "Egress" in types_of(policy["spec"])]
    return PodRules(
        f"{pod.namespace}/{pod.name}",
        pod.address,
        _ingress(world, pod, ingress) if ingress else None,
        _egress(world, egress) if egress else None,
    )


def _ingress(world: _World, pod: Pod, policies: Iterable[Object]) -> tuple[Allowance, ...]:
    added: list[tuple[list[IPv4Network], list[Ports] | None]] = []
    for policy in policies:
        for rule in _rules_of(policy, "ingress"):
            ports = [found for port in rule.get("ports") or [] for found in _ports(port, pod)]
            networks = _networks(world, policy, rule.get("from"))
            added.append((networks, ports if rule.get("ports") else None))
    return _sum(added)


def _egress(world: _World, policies: Iterable[Object]) -> tuple[Allowance, ...]:
    added: list[tuple[list[IPv4Network], list[Ports] | None]] = []
    for policy in policies:
        for rule in _rules_of(policy, "egress"):
            networks = _networks(world, policy, rule.get("to"))
            if not rule.get("ports"):
                added.append((networks, None))
                continue
            numbers = [port for port in rule["ports"] if not isinstance(port.get("port"), str)]
            added.append((networks, [found for port in numbers for found in _ports(port, None)]))
            # A name means what the pod that is called means by it: other ports on other pods.
            names = [port for port in rule["ports"] if isinstance(port.get("port"), str)]
            for peer in world.pods if names else ():
                own = IPv4Network(peer.address)
                if any(own.subnet_of(network) for network in networks):
                    added.append(([own], [found for port in names for found in _ports(port, peer)]))
    return _sum(added)


def _rules_of(policy: Object, side: str) -> list[Object]:
    # An empty list item is a rule without members.
    return [rule or {} for rule in policy["spec"].get(side) or []]


def _networks(world: _World, policy: Object, peers: Sequence[Object] | None) -> list[IPv4Network]:
    if not peers:
        return list(_ALL)
    found = [world.peers(policy["metadata"]["namespace"], peer) for peer in peers]
    return [
        *(IPv4Network(pod.address) for pods, _ in found for pod in pods),
        *(network for _, networks in found for network in networks),
    ]


def _ports(port: Object, destination: Pod | None) -> list[Ports]:
    protocol, number = Protocol(port.get("protocol") or "TCP"), port.get("port")
    if number is None:
        return [Ports(protocol, *_EVERY_PORT)]
    if isinstance(number, str):
        named = destination.named if destination else frozenset()
        return [ports for name, ports in named if name == number and ports.protocol == protocol]
    return [Ports(protocol, number, port.get("endPort") or number)]


def _sum(added: Iterable[tuple[list[IPv4Network], list[Ports] | None]]) -> tuple[Allowance, ...]:
    """Rules added up, in the one form that equal sums have as far as that is cheap: peers gathered by ports."""
    gathered: dict[tuple[Ports, ...] | None, list[IPv4Network]] = defaultdict(list)
    for networks, ports in added:
        if networks and (ports is None or ports):
            gathered[None if ports is None else _merged(ports)] += networks
    found = [Allowance(tuple(collapse_addresses(networks)), ports) for ports, networks in gathered.items()]
    return tuple(sorted(found, key=lambda each: (each.ports or (), each.peers)))


def _merged(ports: Iterable[Ports]) -> tuple[Ports, ...]:
    merged: list[Ports] = []
    for each in sorted(ports):
        last = merged[-1] if merged else None
        if last and last.protocol == each.protocol and each.first <= last.last + 1:
            merged[-1] = Ports(last.protocol, last.first, max(last.last, each.last))
        else:
            merged.append(each)
    return tuple(merged)
