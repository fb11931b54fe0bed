"""Two nodes and nine pods on bare network namespaces, with the real agents, fed by a recorded watch, and real nft."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from tests.policy_generated import NAMESPACE_LABELS, NAMESPACES, PODS, Places
from tests.policy_objects import Object, namespace, pod
from tests.stack.probes import Cell, Prober
from tests.stack.wires import wire
from tools.cluster.local.policy.agent import Agent, nft
from tools.cluster.local.policy.attachments import Attachments
from tools.cluster.local.policy.model import Node
from tools.cluster.local.policy.objects import FOLLOWED, Changed, Listed
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY, POD, Kind
from tools.stack import Stack

FABRIC = ("10.9.0.1", "192.0.2.10", "198.51.100.7")
NODES = {"node-a": "10.9.0.11", "node-b": "10.9.0.12"}
RANGES = {"node-a": "10.9.64.0/24", "node-b": "10.9.65.0/24"}
# An address of node-a's range that no pod has: something that runs there and is not known.
GHOST = ("ghost", "node-a", "10.9.64.250")
PLACES = Places(
    ("0.0.0.0/0", "10.9.64.0/23", "192.0.2.0/24", "10.9.0.12/32"),
    {
        "0.0.0.0/0": ("10.9.64.0/24", "198.51.100.0/24", "10.9.0.0/24"),
        "10.9.64.0/23": ("10.9.64.2/31", "10.9.65.3/32"),
        "192.0.2.0/24": ("192.0.2.8/30",),
    },
)
SERVED = (("TCP", 80), ("TCP", 81), ("TCP", 82), ("UDP", 80))
# What `web` and `other` mean differs from pod to pod.
PORTS: dict[str, list[dict[str, Any]]] = {
    "a": [{"name": "web", "containerPort": 80}, {"name": "other", "containerPort": 80, "protocol": "UDP"}],
    "b": [{"name": "web", "containerPort": 81, "protocol": "TCP"}, {"name": "other", "containerPort": 82}],
    "c": [{"containerPort": 80}],
}


def _placed() -> dict[str, tuple[str, str]]:
    """Pods by `namespace/name`: node and address; neighbours are on both nodes."""
    names = [f"{space}/{name}" for space in NAMESPACES for name in PODS]
    nodes = ["node-a" if index % 2 else "node-b" for index in range(len(names))]
    return {
        name: (node, f"{RANGES[node].removesuffix('0/24')}{index + 2}")
        for index, (name, node) in enumerate(zip(names, nodes, strict=True))
    }


PLACED = _placed()


def spaces() -> list[Object]:
    """The namespaces."""
    return [namespace(name, NAMESPACE_LABELS[name]) for name in NAMESPACES]


def pods(labels: Mapping[str, Mapping[str, str]] | None = None) -> list[Object]:
    """The nine pods, with a pod of each kind that no policy can mean.

    Args:
        labels: of each pod by `namespace/name`; by default the pod's name.
    """
    own = labels or {where: {"pod": where[-1]} for where in PLACED}
    found = [
        pod(where, address, node=node, labels=own[where], ports=PORTS[where[-1]])
        for where, (node, address) in PLACED.items()
    ]
    node, address = PLACED["x/b"]
    ended = pod("x/ended", address, node=node, labels={"pod": "a"}, phase="Succeeded", created="2026-11-24T13:00:00Z")
    in_host = pod("x/in-host", NODES["node-a"], node="node-a", labels={"pod": "a"}, host_network=True)
    return [*found, ended, in_host]


def cells(
    placed: Mapping[str, tuple[str, str]] = PLACED,
    nodes: Mapping[str, str] = NODES,
    outside: Sequence[str] = FABRIC,
    called: Sequence[str] = FABRIC[1:],
) -> list[Cell]:
    """The whole table: from every pod, node and outside address to every pod; from pods to nodes and outside.

    Args:
        placed: node and address of each pod.
        nodes: address of each.
        outside: addresses of the fabric that call.
        called: those that are called.
    """
    origins = [(name, address) for name, (_, address) in placed.items()]
    origins += list(nodes.items()) + [("fabric", address) for address in outside]
    inner = [
        Cell(source, origin, target, address, protocol, port)
        for source, origin in origins
        for target, (_, address) in placed.items()
        for protocol, port in SERVED
        if source != target
    ]
    outer = list(nodes.items()) + [("fabric", address) for address in called]
    return inner + [
        Cell(source, origin, target, address, protocol, port)
        for source, (_, origin) in placed.items()
        for target, address in outer
        for protocol, port in (("TCP", 80), ("UDP", 80))
    ]


def own_node(cell: Cell) -> bool:
    """Whether a connection is between a pod and the node that it runs on, which no policy forbids."""
    return cell.source == PLACED.get(cell.target, ("",))[0] or cell.target == PLACED.get(cell.source, ("",))[0]


class Bench:
    """The namespaces, what asks in them, and an agent for each node.

    Attributes:
        spaces: the namespaces by name.
        prober: asks whole tables.
        transactions: how many the agents gave to the kernel.
    """

    def __init__(self, stack: Stack, directory: Path) -> None:
        self._stack, self._directory = stack, directory
        ghost, *place = GHOST
        self._wires = wire(stack, FABRIC, NODES, {**PLACED, ghost: (place[0], place[1])})
        self.spaces = self._wires.spaces
        self.prober = Prober(self.spaces, SERVED)
        self.transactions = 0
        self._shown: dict[Kind, dict[tuple[str, str], Object]] = {}
        self.start_agents()

    def close(self) -> None:
        """End it."""
        self.prober.close()
        self._wires.close()

    def command(self, name: str, *words: str) -> list[str]:
        """A command of the stack's tools that runs in a namespace."""
        return self.spaces[name].command(self._stack, *words)

    def start_agents(self) -> None:
        """Begin with new agents, as after a restart: they know nothing, and change nothing before they do."""
        self._shown = {}
        self.agents = {name: self._agent(name) for name in NODES}

    def _agent(self, name: str) -> Agent:
        transact = nft(self.command(name, "nft"))

        def count(transaction: str) -> None:
            transact(transaction)
            self.transactions += 1

        return Agent(Node(name, IPv4Network(RANGES[name])), Attachments(self._directory / name), count)

    def show(self, policies: Iterable[Object], known: Iterable[Object], named: Iterable[Object]) -> None:
        """Tell the agents of these objects, as a watch would: what has changed since, and all of it the first time."""
        for kind, items in zip(FOLLOWED, (policies, known, named), strict=True):
            for told in self._told(kind, list(items)):
                for agent in self.agents.values():
                    agent.take(told)
        for agent in self.agents.values():
            agent.settle()

    def _told(self, kind: Kind, items: list[Object]) -> list[Listed | Changed]:
        before = self._shown.get(kind)
        now = {_key(item): item for item in items}
        self._shown[kind] = now
        if before is None:
            return [Listed(kind, tuple(items))]
        gone: list[Listed | Changed] = [
            Changed(kind, "DELETED", item) for key, item in before.items() if key not in now
        ]
        new = [
            Changed(kind, "MODIFIED" if key in before else "ADDED", item)
            for key, item in now.items()
            if before.get(key) != item
        ]
        return gone + new


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


assert FOLLOWED == (NETWORK_POLICY, POD, NAMESPACE), "`show` takes them in this order"
