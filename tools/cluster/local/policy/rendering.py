"""Rules of a node as one nft transaction that replaces the whole table: the kernel has the old ones or the new."""

from collections.abc import Hashable, Iterable
from ipaddress import IPv4Network
from typing import Generic, TypeVar

from tools.cluster.local.policy.model import Allowance, NodeRules, PodRules, Ports

TABLE = "llmisvc-network-policy"
_LAST_PORT = 65535
# The address that a rule of this direction has the peer in.
_PEER = {"ingress": "saddr", "egress": "daddr"}

Thing = TypeVar("Thing", bound=Hashable)
_Allowances = tuple[Allowance, ...]
_Networks = tuple[IPv4Network, ...]


def render(rules: NodeRules) -> str:
    """The transaction, the same text for the same rules.

    A packet is looked up once for each direction, however many pods there are; pods that may do the same share a
    chain, and chains that let the same peers in share a set. The hook is after kube-proxy's translation of Service
    addresses (prerouting), so what is judged is the pod that is called. What the node itself sends is in the output
    hook, and what is sent to it in the input hook: neither is judged.
    """
    sets: _Names[_Networks] = _Names("peers")
    chains: dict[str, _Names[_Allowances]] = {side: _Names(side) for side in _PEER}
    maps = {side: _map(rules, side, chains[side]) for side in _PEER}
    bodies = [
        line
        for side, names in chains.items()
        for allowances, name in names.items()
        for line in _chain(name, side, allowances, sets)
    ]
    addresses = [str(pod.address) for pod in rules.pods]
    return "\n".join(
        [
            # Made first, so that there is one to delete.
            f"table ip {TABLE}",
            f"delete table ip {TABLE}",
            f"table ip {TABLE} {{",
            *_set("known", "ipv4_addr", addresses),
            *_set("itself", "ipv4_addr . ipv4_addr", [f"{each} . {each}" for each in addresses]),
            *(line for peers, name in sets.items() for line in _peers(name, peers)),
            *maps["ingress"],
            *maps["egress"],
            *bodies,
            *_forward(rules.range),
            "}",
            "",
        ]
    )


class _Names(Generic[Thing]):
    """Names for things, the same for equal ones, in the order in which they are first asked for."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._given: dict[Thing, str] = {}

    def of(self, thing: Thing) -> str:
        return self._given.setdefault(thing, f"{self._prefix}-{len(self._given)}")

    def items(self) -> list[tuple[Thing, str]]:
        return list(self._given.items())


def _forward(pods: IPv4Network) -> list[str]:
    return [
        "  chain forward {",
        "    type filter hook forward priority filter; policy accept;",
        # Nobody sends with the address of another pod, nor with one of nobody.
        f"    ip saddr {pods} fib saddr . iif oif missing drop",
        f"    ip saddr {pods} ip saddr != @known drop",
        f"    ip daddr {pods} ip daddr != @known drop",
        # Replies, and connections from before a policy forbade them: Kubernetes leaves open what becomes of those.
        "    ct state established,related accept",
        # A pod that calls itself through its Service is routed through the node.
        "    ip saddr . ip daddr @itself accept",
        "    ip saddr vmap @egress",
        "    ip daddr vmap @ingress",
        "  }",
    ]


def _map(rules: NodeRules, side: str, chains: _Names[_Allowances]) -> list[str]:
    elements = []
    for pod in rules.pods:
        allowances = _isolation(pod, side)
        if allowances is not None:
            elements.append(f"{pod.address} : jump {chains.of(allowances)}")
    return [f"  map {side} {{", "    type ipv4_addr : verdict", *_elements(elements), "  }"]


def _isolation(pod: PodRules, side: str) -> tuple[Allowance, ...] | None:
    return pod.ingress if side == "ingress" else pod.egress


def _chain(name: str, side: str, allowances: _Allowances, sets: _Names[_Networks]) -> list[str]:
    peer = _PEER[side]
    lines = []
    for each in allowances:
        who = "" if each.peers == (IPv4Network("0.0.0.0/0"),) else f"ip {peer} @{sets.of(each.peers)} "
        lines += [f"    {who}{what}return" for what in _matches(each.ports)]
    return [f"  chain {name} {{", *lines, "    drop", "  }"]


def _matches(ports: tuple[Ports, ...] | None) -> list[str]:
    if ports is None:
        return [""]
    found = []
    for protocol in sorted({each.protocol for each in ports}):
        mine = [each for each in ports if each.protocol == protocol]
        whole = any((each.first, each.last) == (0, _LAST_PORT) for each in mine)
        texts = ", ".join(f"{each.first}" if each.first == each.last else f"{each.first}-{each.last}" for each in mine)
        keyword = protocol.lower()
        found.append(f"meta l4proto {keyword} " if whole else f"{keyword} dport {{ {texts} }} ")
    return found


def _peers(name: str, peers: Iterable[IPv4Network]) -> list[str]:
    return _set(name, "ipv4_addr", [str(each.network_address) if each.prefixlen == 32 else str(each) for each in peers],
                "flags interval")  # fmt: skip


def _set(name: str, kind: str, elements: list[str], *flags: str) -> list[str]:
    return [f"  set {name} {{", f"    type {kind}", *(f"    {flag}" for flag in flags), *_elements(elements), "  }"]


def _elements(elements: list[str]) -> list[str]:
    return [f"    elements = {{ {', '.join(elements)} }}"] if elements else []
