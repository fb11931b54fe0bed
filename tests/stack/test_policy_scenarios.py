"""The agents enforce what Kubernetes' own tests of NetworkPolicy ask, packet by packet."""

from collections.abc import Callable

import pytest

from tests.policy_generated import NAMESPACE_LABELS
from tests.policy_objects import Object, namespace, policy
from tests.policy_scenarios import SCENARIOS, Scenario
from tests.stack.policy_bench import PLACED, Bench, cells, own_node, pods, spaces
from tests.stack.probes import Cell, differences


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


def _assert_table(bench: Bench, expected: Callable[[Cell], bool]) -> None:
    assert differences(bench.prober.ask(cells(), expected), expected) == []
