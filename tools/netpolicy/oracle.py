"""Whether policies let a connection through, and which of them decide: networking.k8s.io/v1 as it is written. Pure.

A connection needs both sides: the source's egress and the destination's ingress. Replies need nothing of their own.

    world = World(namespaces, pods, policies)
    decision = decide(world, PodEnd("apps", "web"), PodEnd("llm", "server"), "TCP", 8000)
    decision.allowed, decision.ingress.admitted_by

Sources: the fields' descriptions in the API, and https://kubernetes.io/docs/concepts/services-networking/network-policies/
for what always gets through (a pod to itself, and to and from its own node) and for pods in their node's network.
"""

from dataclasses import dataclass

from tools.netpolicy import rules
from tools.netpolicy.rules import EGRESS, INGRESS, Direction
from tools.netpolicy.world import Address, End, IpAddress, NodeEnd, Object, Party, PodEnd, World

__all__ = ["Address", "Decision", "End", "NodeEnd", "PodEnd", "Rule", "Side", "World", "decide", "isolating"]

ITSELF = "a pod reaches itself"
OWN_NODE = "a pod's own node is always let through"
NO_POD = "policies are about pods"
ALWAYS = (ITSELF, OWN_NODE, NO_POD)


@dataclass(frozen=True, order=True)
class Rule:
    """A rule of a policy, by its place.

    Attributes:
        policy: NAMESPACE/NAME.
        direction: `ingress` or `egress`, the field of the spec.
        index: its place there, from 0.
    """

    policy: str
    direction: str
    index: int

    def __str__(self) -> str:
        return f"{self.policy} {self.direction}[{self.index}]"


@dataclass(frozen=True)
class Side:
    """What is said at one end of a connection.

    Attributes:
        isolated_by: policies, NAMESPACE/NAME, that govern the pod in this direction; without one everything is let
            through.
        admitted_by: their rules that let the connection through.
        exempt: why policies have no say; empty if they have.
    """

    isolated_by: tuple[str, ...] = ()
    admitted_by: tuple[Rule, ...] = ()
    exempt: str = ""

    @property
    def isolated(self) -> bool:
        """Whether only what a rule admits gets through."""
        return bool(self.isolated_by) and not self.exempt

    @property
    def allowed(self) -> bool:
        """Whether the connection gets through at this end."""
        return not self.isolated or bool(self.admitted_by)


@dataclass(frozen=True)
class Decision:
    """Whether a connection gets through, by the word of both ends.

    Attributes:
        egress: at the source.
        ingress: at the destination.
    """

    egress: Side
    ingress: Side

    @property
    def allowed(self) -> bool:
        """Whether it gets through."""
        return self.egress.allowed and self.ingress.allowed

    @property
    def responsible(self) -> tuple[str, ...]:
        """Policies that stop it, or rules that let it through; empty where nothing isolates either end."""
        sides = (self.egress, self.ingress)
        if not self.allowed:
            return tuple(each for side in sides if not side.allowed for each in side.isolated_by)
        return tuple(str(each) for side in sides if side.isolated for each in side.admitted_by)


def decide(world: World, source: End, destination: End, protocol: str, port: int) -> Decision:
    """Whether a connection gets through.

    Args:
        world: the cluster's state.
        source, destination: who connects to whom.
        protocol: TCP, UDP or SCTP; of others the API says nothing.
        port: at the destination, 1 to 65535: the pod's own, not a Service's.

    Raises:
        LookupError: a pod that is named is not there, or has ended.
        ValueError: no such protocol or port.
    """
    if protocol not in rules.PROTOCOLS or not 1 <= port <= 65535:
        raise ValueError(f"policies are about {', '.join(rules.PROTOCOLS)} at 1 to 65535, not {protocol} at {port}")
    from_, to = world.party(source), world.party(destination)
    if why := _always(from_, to):
        return Decision(Side(exempt=why), Side(exempt=why))
    seen_from, seen_to = _same_family(from_.ips, to.ips)
    egress = _Question(EGRESS, from_, to, seen_to, to.pod, protocol, port)
    ingress = _Question(INGRESS, to, from_, seen_from, to.pod, protocol, port)
    return Decision(egress.answered(world), ingress.answered(world))


def isolating(world: World, end: End, direction: Direction) -> tuple[Object, ...]:
    """The policies that govern a pod in a direction; none for what is no pod."""
    pod = world.party(end).pod
    return () if pod is None else _governing(world, pod, direction)


def _always(from_: Party, to: Party) -> str:
    """Why policies have no say in a connection at all; empty if they have."""
    if from_.pod is not None and from_.pod is to.pod:
        return ITSELF
    if (from_.pod is None) != (to.pod is None) and from_.node and from_.node == to.node:
        return OWN_NODE
    return ""


def _governing(world: World, pod: Object, direction: Direction) -> tuple[Object, ...]:
    return tuple(each for each in world.policies if rules.governs(each, direction) and rules.selects(each, pod))


@dataclass(frozen=True)
class _Question:
    """May this pod, in this direction, be connected with that other party?"""

    direction: Direction
    subject: Party
    other: Party
    other_ip: IpAddress | None
    destination: Object | None
    protocol: str
    port: int

    def answered(self, world: World) -> Side:
        if self.subject.pod is None:
            return Side(exempt=NO_POD)
        governing = _governing(world, self.subject.pod, self.direction)
        admitting = [rule for policy in governing for rule in self._admitting(world, policy)]
        return Side(tuple(sorted(name_of(each) for each in governing)), tuple(sorted(admitting)))

    def _admitting(self, world: World, policy: Object) -> list[Rule]:
        namespace = policy["metadata"]["namespace"]
        return [
            Rule(name_of(policy), self.direction.rules, index)
            for index, rule in enumerate(rules.rules(policy, self.direction))
            if rules.has_port(rule.get("ports"), self.destination, self.protocol, self.port)
            and rules.has_peer(world, namespace, rule.get(self.direction.peers), self.other, self.other_ip)
        ]


def name_of(policy: Object) -> str:
    """NAMESPACE/NAME of a policy."""
    meta = policy["metadata"]
    return f"{meta['namespace']}/{meta['name']}"


def _same_family(
    sources: tuple[IpAddress, ...], destinations: tuple[IpAddress, ...]
) -> tuple[IpAddress | None, IpAddress | None]:
    """The addresses of a connection: the first of the destination to which the source has one of the same family."""
    for to in destinations:
        for from_ in sources:
            if from_.version == to.version:
                return from_, to
    return (sources[0] if sources else None), (destinations[0] if destinations else None)
