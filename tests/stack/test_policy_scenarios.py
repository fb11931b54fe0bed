"""The agents enforce what Kubernetes' own tests of NetworkPolicy ask, packet by packet."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.policy_generated import NAMESPACE_LABELS
from tests.policy_objects import Object, namespace, policy
from tests.policy_scenarios import SCENARIOS, Scenario
from tests.stack.policy_bench import FABRIC, GHOST, PLACED, Bench, cells, pods, spaces
from tests.stack.probes import Cell, differences

_DENY_X = policy("x/deny", {"policyTypes": ["Ingress", "Egress"]})


@pytest.fixture(autouse=True)
def nothing_shown_before(bench: Bench) -> Iterator[None]:
    """Whatever a test shows, the next begins without policies."""
    yield
    bench.show([], pods(), spaces())


def own_node(cell: Cell) -> bool:
    """Whether a connection is between a pod and the node that it runs on, which no policy forbids."""
    return cell.source == PLACED.get(cell.target, ("",))[0] or cell.target == PLACED.get(cell.source, ("",))[0]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_scenario(bench: Bench, scenario: Scenario) -> None:
    labels = {where: {"pod": where[-1]} for where in PLACED} | dict(scenario.pods)
    named = [namespace(name, {**NAMESPACE_LABELS, **scenario.namespaces}[name]) for name in NAMESPACE_LABELS]
    bench.show(scenario.policies, pods(labels), named)
    _assert_table(bench, lambda cell: own_node(cell) or scenario.allowed(cell))


def test_policies_are_enforced_anew_when_they_change_and_no_longer_when_they_go(bench: Bench) -> None:
    def into_x(allowed: bool) -> Callable[[Cell], bool]:
        return lambda cell: own_node(cell) or not cell.target.startswith("x/") or allowed

    nobody: list[Object] = []
    for rules, allowed in ((nobody, False), ([{}], True), (nobody, False)):
        bench.show([policy("x/one", {"policyTypes": ["Ingress"], "ingress": rules})], pods(), spaces())
        _assert_table(bench, into_x(allowed))
    bench.show([], pods(), spaces())
    _assert_table(bench, into_x(True))


def test_what_no_known_pod_has_is_neither_sent_nor_received(bench: Bench) -> None:
    bench.show([], pods(), spaces())
    ghost, _, address = GHOST
    asked = [
        Cell("x/a", PLACED["x/a"][1], ghost, address, "TCP", 80),
        Cell("x/b", PLACED["x/b"][1], ghost, address, "TCP", 80),
        Cell(ghost, address, "x/a", PLACED["x/a"][1], "TCP", 80),
        Cell(ghost, address, "x/b", PLACED["x/b"][1], "UDP", 80),
        Cell(ghost, address, "fabric", FABRIC[1], "TCP", 80),
    ]
    assert not any(bench.prober.ask(asked, lambda _: False).values())
    known = replace(asked[0], target="x/b", address=PLACED["x/b"][1])
    assert all(bench.prober.ask([known], lambda _: True).values())  # the instrument


def test_new_agents_change_nothing_until_they_know_everything(bench: Bench) -> None:
    bench.show([_DENY_X], pods(), spaces())
    denied = [cell for cell in cells() if cell.target.startswith("x/") and not own_node(cell)]
    before = bench.transactions
    bench.start_agents()
    for agent in bench.agents.values():
        assert not agent.settle()
    assert not any(bench.prober.ask(denied, lambda _: False).values())
    assert bench.transactions == before


def test_an_event_that_changes_nothing_makes_no_transaction(bench: Bench) -> None:
    bench.show([_DENY_X], pods(), spaces())
    before = bench.transactions
    heartbeat: list[Object] = [
        {**each, "status": {**each["status"], "conditions": [{"type": "Ready"}]}} for each in pods()
    ]
    bench.show([_DENY_X], heartbeat, spaces())
    assert bench.transactions == before
    bench.show([], pods(), spaces())
    assert bench.transactions == before + len(bench.agents)


def _assert_table(bench: Bench, expected: Callable[[Cell], bool]) -> None:
    assert differences(bench.prober.ask(cells(), expected), expected) == []
