"""The pods that policies can mean: those with an address of their own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from tools.cluster.local.policy.model import Ports, Protocol

_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Pod:
    """A pod as policies see it.

    Attributes:
        namespace, name, labels: its own.
        node: where it runs.
        address: its address.
        named: name and ports of every port that its containers name.
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    node: str
    address: IPv4Address
    named: frozenset[tuple[str, Ports]]


def addressed(objects: Iterable[Mapping[str, Any]]) -> list[Pod]:
    """Pods with an IPv4 address of their own, one for each address, sorted by it.

    Pods that have ended hold no address any more, and those in the node's network have none. Where two hold the same,
    the younger one does: the other is ending and its status is old.
    """
    found: dict[IPv4Address, tuple[tuple[str, str], Pod]] = {}
    for each in objects:
        if each["spec"].get("hostNetwork") or each.get("status", {}).get("phase") in _ENDED:
            continue
        meta = each["metadata"]
        age = (str(meta.get("creationTimestamp", "")), f"{meta['namespace']}/{meta['name']}")
        for address in _addresses(each.get("status", {})):
            if address not in found or found[address][0] < age:
                found[address] = (age, _pod(each, address))
    return [pod for _, (_, pod) in sorted(found.items())]


def _pod(each: Mapping[str, Any], address: IPv4Address) -> Pod:
    meta, spec = each["metadata"], each["spec"]
    node = str(spec.get("nodeName", ""))
    return Pod(meta["namespace"], meta["name"], meta.get("labels") or {}, node, address, _named(spec))


def _addresses(status: Mapping[str, Any]) -> list[IPv4Address]:
    texts = {status.get("podIP", ""), *(each.get("ip", "") for each in status.get("podIPs") or [])}
    found = []
    for text in texts:
        try:
            found.append(IPv4Address(text))
        except AddressValueError:  # none yet, or IPv6, which these nodes do not forward
            continue
    return found


def _named(spec: Mapping[str, Any]) -> frozenset[tuple[str, Ports]]:
    # A sidecar is an init container that stays (`restartPolicy: Always`), and serves as the others do.
    stay = [each for each in spec.get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    ports = [port for each in [*spec.get("containers", []), *stay] for port in each.get("ports") or []]
    return frozenset(
        (port["name"], Ports(Protocol(port.get("protocol") or "TCP"), port["containerPort"], port["containerPort"]))
        for port in ports
        if port.get("name")
    )
