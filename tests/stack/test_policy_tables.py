"""What the agents let through is what the oracle says, cell by cell, for generated combinations of policies.

The oracle (tools/netpolicy) was written apart from the agents, from the text of the API; they share the objects only.
"""

import json
from collections.abc import Callable
from functools import cache
from random import Random

import pytest

from tests.policy_generated import combination, pod_labels
from tests.policy_objects import Object
from tests.stack.policy_bench import NODES, PLACED, PLACES, Bench, cells, pods, spaces
from tests.stack.probes import Cell, differences
from tools.netpolicy.oracle import Address, End, NodeEnd, PodEnd, World, decide

_COMBINATIONS = 200
_EACH = 10
# The part of the cells that is let through, over some combinations: else hardly anything was asked.
_LEAST, _MOST = 0.2, 0.95


@pytest.mark.parametrize("first", range(0, _COMBINATIONS, _EACH))
def test_tables_are_the_oracles(bench: Bench, first: int) -> None:
    allowed = asked = 0
    for seed in range(first, first + _EACH):
        chance = Random(seed)
        labels = {where: pod_labels(chance, where[-1]) for where in PLACED}
        policies = combination(chance, PLACES)
        bench.show(policies, pods(labels), spaces())
        expected = _oracle(World(spaces(), pods(labels), policies, _nodes()))
        found = bench.prober.ask(cells(), expected)
        wrong = differences(found, expected)
        assert not wrong, f"seed {seed}: {wrong[:10]}\nlabels {labels}\npolicies {json.dumps(policies)}"
        allowed, asked = allowed + sum(found.values()), asked + len(found)
    assert _LEAST < allowed / asked < _MOST


def _oracle(world: World) -> Callable[[Cell], bool]:
    @cache
    def allowed(cell: Cell) -> bool:
        ends = _end(cell.source, cell.origin), _end(cell.target, cell.address)
        return decide(world, *ends, cell.protocol, cell.port).allowed

    return allowed


def _end(name: str, address: str) -> End:
    if name in NODES:
        return NodeEnd(name)
    return PodEnd(*name.split("/")) if name in PLACED else Address(address)


def _nodes() -> list[Object]:
    return [
        {"metadata": {"name": name}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}
        for name, address in NODES.items()
    ]
