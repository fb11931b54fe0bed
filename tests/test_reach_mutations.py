"""The table finds policies that are wrong in one thing: whatever lets through more, or less, than it should."""

import random

from tests.reach_mutations import Mutation, flows, mutations
from tests.reach_world import FACTS, table, world
from tools.netpolicy.generate import policies

SEED, SAMPLE, FOUND = 6, 30, 29
RIGHT = policies(FACTS)
# Mutations that the table does not find, and why; none at present.
SURVIVORS: dict[str, str] = {}


def changing() -> list[Mutation]:
    """All mutations that change any flow, between any two pods at any port of a service."""
    before = flows(world(RIGHT))
    return [each for each in mutations(RIGHT) if flows(world(each.policies)) != before]


def test_mutations_that_change_any_flow_are_found() -> None:
    every = changing()
    assert len(every) > 100
    survivors = [each.name for each in every if not table(each.policies).wrong()]
    assert survivors == list(SURVIVORS)
    sample = random.Random(SEED).sample(every, SAMPLE)
    assert sum(each.name not in survivors for each in sample) >= FOUND


def test_what_changes_no_flow_is_no_finding() -> None:
    before = flows(world(RIGHT))
    harmless = [each for each in mutations(RIGHT) if flows(world(each.policies)) == before]
    assert harmless
    assert [each.name for each in harmless if table(each.policies).wrong()] == []
