"""Address blocks of policies (`networking.k8s.io/v1` IPBlock)."""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from typing import Any


def addresses_of_block(block: Mapping[str, Any]) -> list[IPv4Network]:
    """What is left of an `ipBlock` when its exceptions are taken out; nothing of an IPv6 one."""
    whole = ip_network(block["cidr"], strict=False)
    left = [whole] if isinstance(whole, IPv4Network) else []
    for text in block.get("except") or []:
        hole = ip_network(text, strict=False)
        if isinstance(hole, IPv4Network):
            left = [part for network in left for part in _without(network, hole)]
    return left


def _without(network: IPv4Network, hole: IPv4Network) -> list[IPv4Network]:
    if not network.overlaps(hole):
        return [network]
    return list(network.address_exclude(hole)) if hole.subnet_of(network) and hole != network else []
