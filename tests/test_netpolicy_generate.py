"""The policies that ship are sufficient and tight: by the oracle, over all pods, addresses and ports of a world."""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.netpolicy_service import APART, LEAST, SHARED, world
from tools.netpolicy.facts import NAMESPACE_NAME, Facts
from tools.netpolicy.flows import OUTSIDE, ends, required
from tools.netpolicy.generate import TEMPLATES, chosen, policies, text
from tools.netpolicy.oracle import ITSELF, OWN_NODE, Address, End, PodEnd, World, decide
from tools.netpolicy.rules import selects
from tools.netpolicy.world import Object
from tools.paths import CHECKOUT

ALL = {"shared": SHARED, "apart": APART, "least": LEAST}
PORTS = [("TCP", port) for port in (53, 80, 443, 5353, 5557, 6443, 8000, 9002, 9003, 9090, 15012, 15020, 15021, 15090)]
PORTS += [("TCP", 22), ("UDP", 53), ("UDP", 5353), ("UDP", 8000)]
METADATA, PRIVATE, PUBLIC, SOURCE = "169.254.169.254", "10.200.0.9", "198.51.100.3", "203.0.113.99"
ADDRESSES = [
    OUTSIDE,
    METADATA,
    PRIVATE,
    PUBLIC,
    "172.16.0.10",
    "172.16.0.11",
    "10.96.0.1",
    "169.254.20.10",
    "203.0.113.99",
]
Cell = tuple[End, End, str, int]
facts_of = pytest.mark.parametrize("facts", ALL.values(), ids=ALL)


def ends_of(it: World) -> list[End]:
    pods: list[End] = [PodEnd(each["metadata"]["namespace"], each["metadata"]["name"]) for each in it.pods]
    return [*pods, *(Address(each) for each in ADDRESSES)]


def needed(it: World, facts: Facts, direction: str = "") -> set[Cell]:
    """All cells that have to be open; at an end of the service's namespace, if a direction is given.

    Clients are anybody, but for those who may not go out themselves; models come from any address that is nobody's.
    """
    found: set[Cell] = set()
    for flow in required(facts):
        for source, to in ends(it, flow):
            sources = ends_of(it) if source == Address(OUTSIDE) else [source]
            if direction != "ingress":
                sources = [each for each in sources if each == source or not is_own(each)]
            outside: list[End] = [Address(each) for each in (OUTSIDE, PUBLIC, SOURCE)] if flow.on_start else [to]
            found |= {(one, other, flow.protocol, flow.port) for one in sources for other in outside}
    own = {"ingress": 1, "egress": 0}
    return {each for each in found if each[0] != each[1] and (not direction or is_own(each[:2][own[direction]]))}


def is_own(end: End) -> bool:
    return isinstance(end, PodEnd) and end.namespace == "llm"


def open_at(it: World, direction: str, subjects: Iterable[End]) -> Iterator[Cell]:
    """All cells that pods of the service's namespace let in or out, whatever the other end says."""
    for subject in subjects:
        for other in ends_of(it):
            source, to = (other, subject) if direction == "ingress" else (subject, other)
            for protocol, port in PORTS:
                decision = decide(it, source, to, protocol, port)
                side = decision.ingress if direction == "ingress" else decision.egress
                if side.allowed and side.exempt not in (ITSELF, OWN_NODE):
                    yield source, to, protocol, port


@facts_of
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_what_is_needed_is_open_and_nothing_else(facts: Facts, direction: str) -> None:
    it = world(facts, policies(facts))
    wanted, found = needed(it, facts, direction), set(open_at(it, direction, filter(is_own, ends_of(it))))
    assert sorted(map(str, wanted - found)) == []
    assert sorted(map(str, found - wanted)) == []


@facts_of
def test_every_needed_connection_gets_through(facts: Facts) -> None:
    it = world(facts, policies(facts))
    wanted = needed(it, facts)
    assert len(wanted) > 5
    assert [str(cell) for cell in sorted(wanted, key=str) if not decide(it, *cell).allowed] == []


@facts_of
def test_without_policies_strangers_reach_everything(facts: Facts) -> None:
    assert decide(world(facts), PodEnd("other", "stranger"), PodEnd("llm", "server"), "TCP", 8000).allowed


def _narrower(found: list[Object]) -> Iterator[tuple[str, list[Object]]]:
    """Each way of taking one thing out: a rule, a peer, a port."""
    for number, policy in enumerate(found):
        name = policy["metadata"]["name"]
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(policy["spec"].get(direction, [])):
                where = f"{name} {direction}[{index}]"
                yield where, _changed(found, number, lambda spec, d=direction, i=index: spec[d].pop(i))
                for part in (peers, "ports"):
                    if len(rule.get(part, [])) < 2:
                        continue
                    for nth in range(len(rule[part])):
                        take = lambda spec, d=direction, i=index, p=part, n=nth: spec[d][i][p].pop(n)  # noqa: E731
                        yield f"{where}.{part}[{nth}]", _changed(found, number, take)


def _wider(found: list[Object]) -> Iterator[tuple[str, list[Object]]]:
    """Each way of opening one thing: no such rule part, no such label."""
    for number, policy in enumerate(found):
        name, spec = policy["metadata"]["name"], policy["spec"]
        for kind in spec["policyTypes"]:
            close = lambda spec, k=kind: spec["policyTypes"].remove(k)  # noqa: E731
            # The namespace is denied everything by one policy; without it, whoever no other policy selects is open.
            if name == "default-deny-all":
                yield f"{name} without {kind}", _changed(found, number, close)
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(spec.get(direction, [])):
                where = f"{name} {direction}[{index}]"
                for part in (peers, "ports"):
                    if part in rule:
                        drop = lambda spec, d=direction, i=index, p=part: spec[d][i].pop(p)  # noqa: E731
                        yield f"{where} without {part}", _changed(found, number, drop)
                for nth, peer in enumerate(rule.get(peers, [])):
                    for how, wide in _wide_peers(peer):
                        put = lambda spec, d=direction, i=index, p=peers, n=nth, w=wide: spec[d][i][p].__setitem__(n, w)  # noqa: E731
                        yield f"{where}.{peers}[{nth}] {how}", _changed(found, number, put)
        for key in spec["podSelector"].get("matchLabels", {}):
            lose = lambda spec, k=key: spec["podSelector"]["matchLabels"].pop(k)  # noqa: E731
            yield f"{name} for pods without {key}", _changed(found, number, lose)
        if "matchExpressions" in spec["podSelector"]:
            yield f"{name} for all", _changed(found, number, lambda spec: spec["podSelector"].pop("matchExpressions"))


def _wide_peers(peer: Object) -> Iterator[tuple[str, Object]]:
    if "ipBlock" in peer:
        yield "everywhere", {"ipBlock": {"cidr": "0.0.0.0/0"}}
        return
    yield "every pod", {"namespaceSelector": {}, "podSelector": {}}
    for selector in peer:
        if selector == "namespaceSelector":
            yield "every namespace", peer | {"namespaceSelector": {}}
        for key in peer[selector].get("matchLabels", {}):
            if key != NAMESPACE_NAME:
                changed = copy.deepcopy(peer)
                changed[selector]["matchLabels"].pop(key)
                yield f"without {key}", changed


def _changed(found: list[Object], number: int, change: Any) -> list[Object]:
    again = copy.deepcopy(found)
    change(again[number]["spec"])
    return again


@facts_of
def test_no_rule_peer_or_port_can_be_left_out(facts: Facts) -> None:
    closed = {}
    for what, changed in _narrower(policies(facts)):
        it = world(facts, changed)
        closed[what] = [cell for cell in needed(it, facts) if not decide(it, *cell).allowed]
    assert closed
    assert [what for what, cells in closed.items() if not cells] == []


@facts_of
def test_no_rule_can_be_wider(facts: Facts) -> None:
    opened = {}
    wanted = {direction: needed(world(facts), facts, direction) for direction in ("ingress", "egress")}
    for what, changed in _wider(policies(facts)):
        opened[what] = _first_open(facts, changed, what.partition(" ")[0], wanted)
    assert len(opened) > 10
    assert [what for what, cell in opened.items() if cell is None] == []


def _first_open(facts: Facts, changed: list[Object], policy: str, wanted: Mapping[str, set[Cell]]) -> Cell | None:
    """Something that is open though it is not needed, at a pod that a policy selects: no other pod is affected."""
    it = world(facts, changed)
    known = {each["metadata"]["name"]: each for each in changed}
    for direction in ("ingress", "egress"):
        subjects = [
            end for end in filter(is_own, ends_of(it)) if policy not in known or _selects(it, known[policy], end)
        ]
        for cell in open_at(it, direction, subjects):
            if cell not in wanted[direction]:
                return cell
    return None


def _selects(it: World, policy: Object, end: End) -> bool:
    found = it.party(end).pod
    return found is not None and selects(policy, found)


@facts_of
def test_every_policy_is_needed(facts: Facts) -> None:
    found = policies(facts)
    wanted = {direction: needed(world(facts), facts, direction) for direction in ("ingress", "egress")}
    for number in range(len(found)):
        less = found[:number] + found[number + 1 :]
        it = world(facts, less)
        lost = any(not decide(it, *cell).allowed for cell in needed(it, facts))
        assert lost or _first_open(facts, less, "", wanted) is not None, found[number]["metadata"]


def test_a_renamed_service_has_policies_of_its_new_name() -> None:
    renamed = policies(replace(SHARED, service="chat"))
    assert "vllm-gemma" not in json.dumps(renamed)
    assert {each["metadata"]["name"] for each in renamed} >= {"default-deny-all", "chat-allow-gateway-to-vllm"}


@pytest.mark.parametrize("name", ["true", "null", "1e3", "0o7"])
def test_names_that_yaml_takes_for_something_else_stay_names(name: str) -> None:
    for each in policies(replace(SHARED, service=name, namespace="on")):
        assert each["metadata"]["namespace"] == "on"
        assert isinstance(each["metadata"]["name"], str)
    servers = next(each for each in policies(replace(SHARED, service=name)) if "allow-vllm-egress" in str(each))
    assert servers["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == name


def test_every_template_is_used_and_explained_line_by_line() -> None:
    files = {path.stem for path in TEMPLATES.glob("*.yaml")}
    assert set(chosen(SHARED)) == files
    page = (CHECKOUT / "docs" / "policies.md").read_text()
    assert [name for name in sorted(files) if f"`{name}`" not in page] == []


def test_the_text_keeps_the_reasons() -> None:
    found = text(SHARED)
    assert found.count("\n#") + found.startswith("#") >= len(chosen(SHARED))
    assert len(list(yaml.safe_load_all(found))) == len(chosen(SHARED))


def test_a_template_that_asks_for_what_is_not_known_is_refused(tmp_path: Path) -> None:
    for path in TEMPLATES.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text().replace("${service}", "${nothing}"))
    with pytest.raises(KeyError, match="nothing"):
        text(SHARED, tmp_path)
