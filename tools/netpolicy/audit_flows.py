"""Flows that policies stop, today or with a pod's next start, and pods that no policy isolates. Pure."""

import json
import re

from tools.netpolicy.facts import Facts, Pods
from tools.netpolicy.finding import Finding, names, rule_text
from tools.netpolicy.flows import Flow, ends, members, required
from tools.netpolicy.oracle import Decision, decide, isolating, name_of
from tools.netpolicy.rules import EGRESS, INGRESS, Direction, governs, selects
from tools.netpolicy.world import Object, World

_WATCHES = re.compile("prometheus|monitoring|metrics|scrape", re.IGNORECASE)


def missing(world: World, facts: Facts) -> list[Finding]:
    """Each needed flow that does not get through, once, with what stops it."""
    found: dict[tuple[str, str, int], Finding] = {}
    for flow in required(facts):
        for source, to in ends(world, flow):
            decision = decide(world, source, to, flow.protocol, flow.port)
            if not decision.allowed:
                key = (flow.name, flow.protocol, flow.port)
                found.setdefault(key, _missing(world, flow, f"{source} to {to}", decision))
    return list(found.values())


def _missing(world: World, flow: Flow, pair: str, decision: Decision) -> Finding:
    stopped = [(EGRESS, decision.egress, flow.egress_rule), (INGRESS, decision.ingress, flow.ingress_rule)]
    sides = [(way, side, rule) for way, side, rule in stopped if not side.allowed]
    told = " and ".join(f"no {way.rules} rule of {names(side.isolated_by)}" for way, side, _ in sides)
    when = "what runs goes on, and the next restart does not: " if flow.on_start else ""
    why = f"{when}{flow.without}"
    only = [_only_watched(world, side.isolated_by) for way, side, _ in sides if way is INGRESS]
    if any(only):
        why += "; the pod is selected by a policy for monitoring only, and the first policy closes it to all else"
    resolver = isinstance(flow.to, str) and flow.to.startswith("169.254.") and flow.port == 53
    if resolver:
        why += f"; pods ask {flow.to} on their node, which no selector of DNS pods covers"
    return Finding(
        flow.name,
        f"({flow.protocol} {flow.port}, {pair}) is stopped: {told} lets it through",
        why,
        "\n".join(f"# for {_whose(flow, way.rules)}\n{rule_text(way.rules, [rule])}" for way, _, rule in sides),
    )


def _whose(flow: Flow, direction: str) -> str:
    pods = flow.source if direction == EGRESS.rules else flow.to
    assert isinstance(pods, Pods)
    return f"a policy in {pods.namespace} for pods with {json.dumps(dict(pods.labels))}"


def _only_watched(world: World, policies: tuple[str, ...]) -> bool:
    """Whether all that policies let in is somebody who collects metrics."""
    rules = [rule for each in world.policies if name_of(each) in policies for rule in each["spec"].get("ingress") or []]
    return bool(rules) and all(rule.get("from") and _WATCHES.search(json.dumps(rule["from"])) for rule in rules)


def _further(facts: Facts, way: Direction) -> Finding:
    return Finding(
        f"any further pod of {facts.namespace}",
        f"is selected by no policy for {way.kind}",
        "no policy of the namespace has an empty podSelector: whatever comes tomorrow is open",
        f"spec:\n  podSelector: {{}}\n  policyTypes: [{way.kind}]",
    )


def _takes_all(world: World, facts: Facts, way: Direction) -> bool:
    anybody: Object = {"metadata": {"namespace": facts.namespace, "name": "", "labels": {}}}
    return any(governs(each, way) and selects(each, anybody) for each in world.policies)


def unisolated(world: World, facts: Facts) -> list[Finding]:
    """Pods of the service, and pods that may come to its namespace, that no policy isolates in a direction."""
    found = [_further(facts, way) for way in (INGRESS, EGRESS) if not _takes_all(world, facts, way)]
    for who, chosen in (("server", facts.servers), ("picker", facts.pickers)):
        for end in members(world, chosen):
            for way, words in ((INGRESS, "everybody reaches it"), (EGRESS, "it reaches everything")):
                if not isolating(world, end, way):
                    found.append(
                        Finding(
                            f"{who} {end}",
                            f"is selected by no policy for {way.kind}: {words}",
                            "no default-deny policy is there, or it leaves out the pod or the direction",
                            f"spec:\n  podSelector: {{}}\n  policyTypes: [{way.kind}]",
                            pods=(str(end),),
                        )
                    )
    return found
