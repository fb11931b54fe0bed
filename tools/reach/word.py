"""What the policies that are there say of a cell, by the oracle, and which of them decide. Pure."""

from dataclasses import dataclass

from tools.netpolicy.finding import rule_text
from tools.netpolicy.oracle import Decision, Rule, decide
from tools.netpolicy.world import End, Object, World
from tools.reach.cells import Target


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
    return Word(found[0].allowed, explained(world, found[0]))


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


def _rule(world: World, rule: Rule) -> str:
    found = next(each for each in world.policies if f"{_meta(each)['namespace']}/{_meta(each)['name']}" == rule.policy)
    text = " ".join(rule_text(rule.direction, [found["spec"][rule.direction][rule.index] or {}]).split())
    return f"{rule} lets it through: {text}"


def _meta(found: Object) -> Object:
    meta: Object = found["metadata"]
    return meta
