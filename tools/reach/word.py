"""What the policies that are there say of a cell, by the oracle, and which of them decide. Pure."""

from dataclasses import dataclass

from tools.netpolicy.finding import rule_text
from tools.netpolicy.oracle import Decision, Rule, decide
from tools.netpolicy.world import Address, End, Object, World
from tools.reach.cells import Target

SELECTS_PODS = "selects pods of the cluster"


@dataclass(frozen=True)
class Word:
    """The policies' word.

    Attributes:
        open: whether they let it through; None where they say different things of different ends.
        why: which policy or rule decides, as a clause.
    """

    open: bool | None
    why: str


def word(world: World, source: End, target: Target) -> Word:
    """What policies say of a connection.

    Args:
        world: all pods and policies, the probers' among them.
        source: who connects.
        target: to what.

    Raises:
        LookupError: a pod is gone.
    """
    found = [decide(world, source, end, target.protocol, port) for end, port in target.ends]
    told = {each.allowed for each in found}
    if len(told) != 1:
        return Word(None, "the ends behind the address are not treated alike")
    return Word(found[0].allowed, "; ".join([explained(world, found[0]), *_missed(world, found[0], target.ends[0][0])]))


def explained(world: World, decision: Decision) -> str:
    """Which policy or rule decides, as a clause."""
    if not decision.allowed:
        sides = (("egress", decision.egress), ("ingress", decision.ingress))
        return " and ".join(
            f"no {way} rule of {', '.join(side.isolated_by)} lets it through" for way, side in sides if not side.allowed
        )
    parts = []
    for way, side in (("egress", decision.egress), ("ingress", decision.ingress)):
        if side.exempt:
            parts.append(side.exempt)
        elif not side.isolated:
            parts.append(f"no policy isolates the {'source' if way == 'egress' else 'destination'} for {way}")
        else:
            parts += [_rule(world, each) for each in side.admitted_by]
    return "; ".join(dict.fromkeys(parts))


def _missed(world: World, decision: Decision, to: End) -> list[str]:
    """Rules that are written as if they led everywhere, where what is asked for is no pod."""
    if decision.egress.allowed or not isinstance(to, Address):
        return []
    return [
        f"{policy} egress[{index}] {SELECTS_PODS}, and {to} is none"
        for policy in decision.egress.isolated_by
        for index, rule in enumerate(_found(world, policy)["spec"].get("egress") or [])
        if any(peer.get("namespaceSelector") == {} for peer in rule.get("to") or [])
    ]


def _found(world: World, policy: str) -> Object:
    return next(each for each in world.policies if f"{_meta(each)['namespace']}/{_meta(each)['name']}" == policy)


def _rule(world: World, rule: Rule) -> str:
    text = " ".join(
        rule_text(rule.direction, [_found(world, rule.policy)["spec"][rule.direction][rule.index] or {}]).split()
    )
    return f"{rule} lets it through: {text}"


def _meta(found: Object) -> Object:
    meta: Object = found["metadata"]
    return meta
