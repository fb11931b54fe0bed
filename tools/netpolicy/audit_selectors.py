"""Selectors that select nothing, and egress rules that cannot lead where they are meant to. Pure."""

import json
from collections.abc import Iterator

from tools.netpolicy import rules
from tools.netpolicy.facts import Facts, Pods
from tools.netpolicy.finding import Finding, rule_text
from tools.netpolicy.flows import Flow, members, required
from tools.netpolicy.oracle import name_of
from tools.netpolicy.rules import EGRESS, INGRESS, Direction
from tools.netpolicy.selectors import text
from tools.netpolicy.world import Object, Party, World, ips, is_alive, is_host

# Keys of labels that KServe's controller puts on a service's pods: a policy that selects by them means such pods.
_KSERVE = ("app.kubernetes.io/", "kserve.io/", "llm-d.ai/", "serving.kserve.io/")


def dead(world: World, facts: Facts) -> list[Finding]:
    """Policies for servers or pickers that select no pod, and peers of the service's policies that are nobody."""
    return [*_dead_policies(world, facts), *_dead_peers(world, facts)]


def unable(world: World, facts: Facts) -> list[Finding]:
    """Egress rules that select pods, at a port where what is needed is an address."""
    return [
        finding
        for policy in _of_service(world, facts, EGRESS)
        for index, rule in enumerate(rules.rules(policy, EGRESS))
        if (finding := _unable(world, facts, policy, index, rule)) is not None
    ]


def _dead_policies(world: World, facts: Facts) -> Iterator[Finding]:
    for policy in world.policies:
        selector = policy["spec"].get("podSelector") or {}
        meant = policy["metadata"]["namespace"] == facts.namespace and _is_about_kserve(selector)
        if meant and not any(is_alive(pod) and rules.selects(policy, pod) for pod in world.pods):
            right = facts.pickers if "scheduler" in json.dumps(selector) else facts.servers
            yield Finding(
                f"{name_of(policy)} podSelector",
                f"({text(selector)}) selects no pod of {facts.namespace}",
                "it was written for a service of another name, or by a label that KServe's controller does not give; "
                "a NetworkPolicy has no status that would say so",
                f"podSelector: {{matchLabels: {json.dumps(dict(right.labels))}}}",
                name_of(policy),
            )


def _dead_peers(world: World, facts: Facts) -> Iterator[Finding]:
    for way in (INGRESS, EGRESS):
        for policy in _of_service(world, facts, way):
            for index, rule in enumerate(rules.rules(policy, way)):
                for nth, peer in enumerate(rule.get(way.peers) or []):
                    if "ipBlock" not in peer and not _matches(world, policy, peer):
                        yield _dead_peer(world, facts, policy, way, index, nth, rule)


def _dead_peer(
    world: World, facts: Facts, policy: Object, way: Direction, index: int, nth: int, rule: Object
) -> Finding:
    peer = rule[way.peers][nth]
    selectors = " and ".join(f"{key} {text(value)}" for key, value in peer.items())
    near = [_rule(way, each) for each in required(facts) if _is_meant(world, policy, way, each, rule)]
    apiserver = "; the API server is no pod on a managed control plane" if "apiserver" in selectors else ""
    return Finding(
        f"{name_of(policy)} {way.rules}[{index}].{way.peers}[{nth}]",
        f"({selectors}) matches no pod of the cluster",
        f"the rule lets nobody through{apiserver}",
        rule_text(way.rules, near) if near else "leave the peer out, or correct its labels",
        name_of(policy),
    )


def _unable(world: World, facts: Facts, policy: Object, index: int, rule: Object) -> Finding | None:
    peers = rule.get("to") or []
    if not peers or not rule.get("ports") or any("ipBlock" in each for each in peers):
        return None
    meant = [
        flow
        for flow in required(facts)
        if isinstance(flow.to, str) and flow.port != 53 and _is_meant(world, policy, EGRESS, flow, rule)
    ]
    broad = any(each.get("namespaceSelector") == {} and not each.get("podSelector") for each in peers)
    apiserver = "apiserver" in json.dumps(peers)
    if not (broad or apiserver) or not (meant or _has_https(rule)):
        return None
    reached = [f"{name} at {flow.to}" for flow in meant for name in [flow.name.partition(" to ")[2]]]
    return Finding(
        f"{name_of(policy)} egress[{index}]",
        "selects pods of the cluster, and never an outside address"
        + (f": not {', '.join(dict.fromkeys(reached))}" if reached else ""),
        "selectors select pods: `namespaceSelector: {}` is not the internet, and the API server is no pod on a managed "
        "control plane, nor one that selectors take where it is in its node's network",
        rule_text(EGRESS.rules, [each.egress_rule for each in meant] or [_public(rule)]),
        name_of(policy),
    )


def _has_https(rule: Object) -> bool:
    return rules.has_port(rule["ports"], None, "TCP", 443)


def _public(rule: Object) -> Object:
    block = {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]}
    return {"to": [{"ipBlock": block}], "ports": rule["ports"]}


def _is_meant(world: World, policy: Object, way: Direction, flow: Flow, rule: Object) -> bool:
    """Whether a flow is what a rule may have been written for: its own pods, at a port that it has."""
    own = flow.source if way is EGRESS else flow.to
    if not isinstance(own, Pods) or not rules.has_port(rule.get("ports"), None, flow.protocol, flow.port):
        return False
    pods = [world.party(each).pod for each in members(world, own)]
    return any(each is not None and rules.selects(policy, each) for each in pods)


def _rule(way: Direction, flow: Flow) -> Object:
    return flow.egress_rule if way is EGRESS else flow.ingress_rule


def _of_service(world: World, facts: Facts, way: Direction) -> list[Object]:
    """Policies that govern one of the service's pods in a direction."""
    ends = [*members(world, facts.servers), *members(world, facts.pickers)]
    pods = [pod for each in ends if (pod := world.party(each).pod) is not None]
    return [
        each for each in world.policies if rules.governs(each, way) and any(rules.selects(each, pod) for pod in pods)
    ]


def _matches(world: World, policy: Object, peer: Object) -> bool:
    namespace = policy["metadata"]["namespace"]
    alive = (each for each in world.pods if is_alive(each) and not is_host(each))
    return any(rules.has_peer(world, namespace, [peer], Party(each, "", ips(each)), None) for each in alive)


def _is_about_kserve(selector: Object) -> bool:
    keys = [*(selector.get("matchLabels") or {}), *(each["key"] for each in selector.get("matchExpressions") or [])]
    return any(key.startswith(_KSERVE) for key in keys)
