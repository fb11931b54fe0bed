"""Policies with one thing wrong: every way to spoil a rule, its peers, its ports, or what a policy selects."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.netpolicy.oracle import decide
from tools.netpolicy.world import Address, End, Object, PodEnd, World

_PEERS = {"ingress": "from", "egress": "to"}
_PORTS = (53, 80, 443, 6443, 8000, 8080, 9002, 9003, 9090, 15006, 15008, 15012, 15020, 15021, 15090)
_ADDRESSES = ("172.16.0.10", "169.254.169.254", "198.51.100.29", "198.51.100.30", "172.16.1.2")


@dataclass(frozen=True)
class Mutation:
    """A policy set with one thing changed.

    Attributes:
        name: what, for messages.
        policies: all of them.
    """

    name: str
    policies: tuple[Object, ...]


def mutations(policies: Sequence[Object]) -> Iterator[Mutation]:
    """All of them, in a fixed order."""
    for place, policy in enumerate(policies):
        for what, changed in _of_policy(policy):
            rest = (*policies[:place], *([changed] if changed is not None else []), *policies[place + 1 :])
            yield Mutation(f"{policy['metadata']['name']}: {what}", rest)


def flows(world: World, namespace: str) -> frozenset[tuple[End, End, str, int]]:
    """All connections of a namespace's pods that get through, with all pods and some addresses, at a service's ports.

    Of others its policies say nothing.
    """
    pods: list[End] = [PodEnd(each["metadata"]["namespace"], each["metadata"]["name"]) for each in world.pods]
    others: list[End] = [Address(each) for each in _ADDRESSES]
    return frozenset(
        (source, to, protocol, port)
        for source in [*pods, *others]
        for to in [*pods, *others]
        if source != to and namespace in {end.namespace for end in (source, to) if isinstance(end, PodEnd)}
        for port in _PORTS
        for protocol in (("TCP", "UDP") if port == 53 else ("TCP",))
        if decide(world, source, to, protocol, port).allowed
    )


def _of_policy(policy: Object) -> Iterator[tuple[str, Object | None]]:
    yield "gone", None
    spec = policy["spec"]
    if spec.get("podSelector"):
        yield "selects by a misspelt label", _with(policy, podSelector=_misspelt(spec["podSelector"]))
        yield "selects every pod", _with(policy, podSelector={})
    for kind in spec["policyTypes"]:
        left = [each for each in spec["policyTypes"] if each != kind]
        if left:
            yield f"not about {kind}", _with(policy, policyTypes=left)
    for way, peers in _PEERS.items():
        for index, rule in enumerate(spec.get(way) or []):
            for what, changed in _of_rule(rule, peers):
                rules = [*spec[way][:index], *([changed] if changed is not None else []), *spec[way][index + 1 :]]
                yield f"{way}[{index}] {what}", _with(policy, **{way: rules})


def _of_rule(rule: Object, peers: str) -> Iterator[tuple[str, Object | None]]:
    yield "gone", None
    if rule.get(peers):
        yield "for everybody", {key: value for key, value in rule.items() if key != peers}
    if rule.get("ports"):
        yield "at every port", {key: value for key, value in rule.items() if key != "ports"}
    for index, peer in enumerate(rule.get(peers) or []):
        for what, changed in _of_peer(peer):
            kept = [*rule[peers][:index], changed, *rule[peers][index + 1 :]]
            yield f"{peers}[{index}] {what}", {**rule, peers: kept}
        if len(rule[peers]) > 1:
            yield f"{peers}[{index}] gone", {**rule, peers: [*rule[peers][:index], *rule[peers][index + 1 :]]}
    for index, port in enumerate(rule.get("ports") or []):
        around = rule["ports"][:index], rule["ports"][index + 1 :]
        yield (
            f"ports[{index}] is another",
            {**rule, "ports": [*around[0], {**port, "port": port["port"] + 1}, *around[1]]},
        )
        yield f"ports[{index}] has no end", {**rule, "ports": [*around[0], {**port, "endPort": 65535}, *around[1]]}
        if len(rule["ports"]) > 1:
            yield f"ports[{index}] gone", {**rule, "ports": [*around[0], *around[1]]}


def _of_peer(peer: Object) -> Iterator[tuple[str, Object]]:
    if "ipBlock" in peer:
        yield "is the whole internet", {"ipBlock": {"cidr": "0.0.0.0/0"}}
        yield "is another address", {"ipBlock": {"cidr": "192.0.2.77/32"}}
        return
    for key in ("namespaceSelector", "podSelector"):
        if peer.get(key):
            yield (
                f"without {key}",
                {other: value for other, value in peer.items() if other != key} or {"podSelector": {}},
            )
            yield f"with an empty {key}", {**peer, key: {}}
            yield f"with a misspelt {key}", {**peer, key: _misspelt(peer[key])}


def _misspelt(selector: Object) -> Object:
    found = copy.deepcopy(selector)
    key = next(iter(found["matchLabels"]))
    found["matchLabels"][key] += "s"
    return found


def _with(policy: Object, **changed: object) -> Object:
    return {**policy, "spec": {**policy["spec"], **changed}}
