"""Random combinations of NetworkPolicies, valid for the API server: the same for the same seed."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.policy_objects import Object, policy

NAMESPACES = ("x", "y", "z")
PODS = ("a", "b", "c")
NAMESPACE_LABELS = {"x": {"ns": "x", "team": "red"}, "y": {"ns": "y", "team": "blue"}, "z": {"ns": "z"}}
_LABELS = {"pod": ("a", "b", "c"), "tier": ("front", "back")}
_SPACE_LABELS = {"ns": NAMESPACES, "team": ("red", "blue")}


@dataclass(frozen=True)
class Places:
    """What an `ipBlock` may be about.

    Attributes:
        blocks: networks.
        holes: for each network, networks inside it.
    """

    blocks: tuple[str, ...]
    holes: dict[str, tuple[str, ...]]


def pod_labels(chance: Random, name: str) -> dict[str, str]:
    """Labels of a pod: its name, and a tier that not all have."""
    tier = chance.choice(("front", "back", ""))
    return {"pod": name} | ({"tier": tier} if tier else {})


def combination(chance: Random, places: Places) -> list[Object]:
    """One to four policies."""
    return [
        policy(f"{chance.choice(NAMESPACES)}/p{index}", _spec(chance, places)) for index in range(chance.randint(1, 4))
    ]


def _spec(chance: Random, places: Places) -> Object:
    spec: Object = {"podSelector": _selector(chance, _LABELS)}
    kinds = chance.choice((None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]))
    if kinds is not None:
        spec["policyTypes"] = kinds
    if kinds is None or "Ingress" in kinds:
        spec["ingress"] = [_rule(chance, places, "from") for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    if kinds is None or "Egress" in kinds:
        spec["egress"] = [_rule(chance, places, "to") for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    return {key: value for key, value in spec.items() if value != [] or chance.random() < 0.5}


def _rule(chance: Random, places: Places, key: str) -> Object:
    rule: Object = {}
    if chance.random() < 0.8:
        rule[key] = [_peer(chance, places) for _ in range(chance.choice((1, 1, 2, 3)))]
    if chance.random() < 0.6:
        rule["ports"] = [_port(chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    return rule


def _peer(chance: Random, places: Places) -> Object:
    match chance.choice(("pods", "namespaces", "both", "block")):
        case "pods":
            return {"podSelector": _selector(chance, _LABELS)}
        case "namespaces":
            return {"namespaceSelector": _selector(chance, _SPACE_LABELS)}
        case "both":
            return {
                "namespaceSelector": _selector(chance, _SPACE_LABELS),
                "podSelector": _selector(chance, _LABELS),
            }
        case _:
            cidr = chance.choice(places.blocks)
            holes = [hole for hole in places.holes.get(cidr, ()) if chance.random() < 0.5]
            return {"ipBlock": {"cidr": cidr} | ({"except": holes} if holes else {})}


def _selector(chance: Random, labels: dict[str, tuple[str, ...]]) -> Object:
    selector: Object = {}
    if chance.random() < 0.2:
        return selector
    key = chance.choice(list(labels))
    if chance.random() < 0.5:
        selector["matchLabels"] = {key: chance.choice(labels[key])}
    if not selector or chance.random() < 0.3:
        selector["matchExpressions"] = [_expression(chance, labels)]
    return selector


def _expression(chance: Random, labels: dict[str, tuple[str, ...]]) -> Object:
    key = chance.choice(list(labels))
    operator = chance.choice(("In", "NotIn", "Exists", "DoesNotExist"))
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    values = chance.sample(labels[key], chance.randint(1, len(labels[key])))
    return {"key": key, "operator": operator, "values": values}


def _port(chance: Random) -> Object:
    protocol: Any = chance.choice((None, "TCP", "TCP", "UDP", "SCTP"))
    port: Object = {} if protocol is None else {"protocol": protocol}
    match chance.choice(("number", "number", "name", "range", "none")):
        case "number":
            port["port"] = chance.choice((80, 81, 82))
        case "name":
            port["port"] = chance.choice(("web", "other"))
        case "range":
            port["port"] = chance.choice((79, 80, 81))
            port["endPort"] = port["port"] + chance.randint(0, 2)
    return port
