"""Rules that let in, or out, more than a service needs: whom, by name. Pure."""

from collections.abc import Iterator, Sequence

from tools.netpolicy import rules
from tools.netpolicy.facts import EVENTS_PORT, PICKER_METRICS, PICKER_PORT, SERVER_PORT, SIDECAR_METRICS, Facts, Pods
from tools.netpolicy.finding import Finding, names, rule_text
from tools.netpolicy.flows import OUTSIDE, is_among, members, required
from tools.netpolicy.oracle import name_of
from tools.netpolicy.rules import EGRESS, INGRESS
from tools.netpolicy.world import Address, Object, Party, PodEnd, World, is_alive, is_host

METADATA = "169.254.169.254"
_PICKER_HEALTH = 9003
_ELSEWHERE = "llmisvc-conformance-of-anybody"


def wide(world: World, facts: Facts) -> list[Finding]:
    """Ingress rules of the service's pods that let in somebody who has no business there."""
    guarded: list[tuple[Pods, tuple[int, ...]]] = [(facts.servers, (SERVER_PORT, *SIDECAR_METRICS))]
    guarded += [(facts.pickers, (PICKER_PORT, _PICKER_HEALTH, PICKER_METRICS, EVENTS_PORT))] if facts.picker else []
    return [each for pods, ports in guarded for each in _wide(world, facts, pods, ports)]


def leaking(world: World, facts: Facts) -> list[Finding]:
    """Egress rules of the service's pods that lead anywhere, the cloud's metadata server included."""
    found: dict[str, Finding] = {}
    for chosen in (facts.servers, facts.pickers):
        for subject in _selected(world, chosen):
            for policy, index, rule in _rules(world, subject, rules.EGRESS):
                metadata = world.party(Address(METADATA))
                if rules.has_port(rule.get("ports"), None, "TCP", 80) and _has(world, policy, rule, "to", metadata):
                    where = f"{name_of(policy)} egress[{index}]"
                    found[where] = _leak(facts, policy, where, rule)
    return list(found.values())


def _leak(facts: Facts, policy: Object, where: str, rule: Object) -> Finding:
    flows = [each for each in required(facts) if rules.has_port(rule.get("ports"), None, each.protocol, each.port)]
    needed = [each.egress_rule for each in flows if each.source in (facts.servers, facts.pickers)]
    everywhere = "everywhere" if not rule.get("to") else "to a range that has it"
    return Finding(
        where,
        f"leads {everywhere}: also to {METADATA}, port 80, the cloud's metadata server",
        "whoever gets a request out of the pod gets the node's credentials there",
        rule_text(EGRESS.rules, needed) if needed else "leave the rule out: nothing that is needed goes by it",
        name_of(policy),
    )


def _wide(world: World, facts: Facts, chosen: Pods, ports: Sequence[int]) -> Iterator[Finding]:
    neighbours = [each.source for each in required(facts) if each.to == chosen and isinstance(each.source, Pods)]
    seen = set()
    for subject in _selected(world, chosen):
        for policy, index, rule in _rules(world, subject, INGRESS):
            where = f"{name_of(policy)} ingress[{index}]"
            open_ports = [each for each in ports if rules.has_port(rule.get("ports"), subject, "TCP", each)]
            if not open_ports or where in seen:
                continue
            admitted = _strangers(world, facts, policy, rule, neighbours)
            if admitted:
                seen.add(where)
                yield _finding(world, facts, chosen, policy, where, rule, open_ports, admitted)


def _finding(
    world: World, facts: Facts, chosen: Pods, policy: Object, where: str, rule: Object, ports: list[int],
    admitted: list[str],
) -> Finding:  # fmt: skip
    which = "server" if chosen == facts.servers else "picker"
    flows = [each for each in required(facts) if each.to == chosen and each.port in ports]
    others = [each for each in flows if not _otherwise(world, policy, rule, chosen, each.source)]
    right = rule_text(INGRESS.rules, [each.ingress_rule for each in others])
    nothing = "leave the rule out: what is needed is let in by others, and probes of the kubelet need no rule"
    return Finding(
        where,
        f"lets into the {which}'s port {', '.join(map(str, ports))}: {names(admitted)}",
        f"{_how(rule)}; only {names(sorted({each.name.partition(' to ')[0] for each in flows}))} have business there, "
        "and a pod's own node, with its kubelet, is let in without a rule",
        right if others else nothing,
        name_of(policy),
        tuple(admitted),
    )


def _otherwise(world: World, policy: Object, rule: Object, chosen: Pods, source: Pods | str) -> bool:
    """Whether another rule than this lets a source in."""
    subjects, sources = _selected(world, chosen), _selected(world, source) if isinstance(source, Pods) else []
    return any(
        _has(world, other, each, "from", Party(pod, "", ()))
        for subject in subjects
        for other, _, each in _rules(world, subject, INGRESS)
        if each is not rule and not (other is policy and each == rule)
        for pod in sources
    )


def _how(rule: Object) -> str:
    peers = rule.get("from")
    if not peers:
        return "a rule without `from` is for everybody"
    if any(each.get("namespaceSelector") == {} for each in peers):
        return (
            "`namespaceSelector: {}` is every namespace, and an empty or absent `podSelector` beside it every pod there"
        )
    if any("ipBlock" in each for each in peers):
        return "the ipBlock has more addresses than those that are meant"
    return "its selectors match more pods than those that are meant"


def _strangers(world: World, facts: Facts, policy: Object, rule: Object, neighbours: Sequence[Pods]) -> list[str]:
    """Whom a rule lets in who is no neighbour: pods by name, those that may come, and addresses outside."""
    outside = world.party(Address(OUTSIDE))
    found = ["every address outside of the cluster"] if _has(world, policy, rule, "from", outside) else []
    for namespace, words in (
        (_ELSEWHERE, "any pod of any namespace"),
        (facts.namespace, f"any pod of {facts.namespace}"),
    ):
        anybody: Object = {"metadata": {"namespace": namespace, "name": "anybody", "labels": {}}, "spec": {}}
        found += [words] if _has(world, policy, rule, "from", Party(anybody, "", ())) else []
    for pod in world.pods:
        if not is_alive(pod) or is_host(pod) or any(is_among(pod, each) for each in neighbours):
            continue
        end = PodEnd(pod["metadata"]["namespace"], pod["metadata"]["name"])
        if any(is_among(pod, each) for each in (facts.servers, facts.pickers)) and not rule.get("from"):
            continue
        if _has(world, policy, rule, "from", world.party(end)):
            found.append(str(end))
    return found


def _has(world: World, policy: Object, rule: Object, peers: str, party: Party) -> bool:
    ip = party.ips[0] if party.ips else None
    return rules.has_peer(world, policy["metadata"]["namespace"], rule.get(peers), party, ip)


def _selected(world: World, chosen: Pods) -> list[Object]:
    found = [world.party(each).pod for each in members(world, chosen)]
    return [each for each in found if each is not None]


def _rules(world: World, subject: Object, direction: rules.Direction) -> Iterator[tuple[Object, int, Object]]:
    for policy in world.policies:
        if rules.governs(policy, direction) and rules.selects(policy, subject):
            for index, rule in enumerate(rules.rules(policy, direction)):
                yield policy, index, rule
