"""Local clusters enforce NetworkPolicies as the oracle says, and go on while an agent is killed and started again."""

import json
import time
from functools import cache
from random import Random

from tests.live.conftest import Start
from tests.live.datagrams import Stream
from tests.live.policy_world import PolicyWorld, pod_of_agnhost, policy_world
from tests.policy_generated import combination
from tests.policy_objects import Object, policy
from tests.stack.probes import Cell, differences
from tools.cluster.local import bring_up, components
from tools.cluster.local.machine import RunningMachine
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import EVENT, POD
from tools.kube.pods import is_ready
from tools.netpolicy.oracle import Address, NodeEnd, PodEnd, World, decide
from tools.stack import Stack

_COMBINATIONS = 15
# Datagrams of a stream: at one each half of a millisecond, a second of them.
_MANY = 1000
# Far from what is promised (benchmarks/policies.py measures that): other work runs on the machine.
_IN_FORCE_SECONDS = 10.0
_DENY = policy("x/deny", {"podSelector": {"matchLabels": {"pod": "a"}}, "policyTypes": ["Ingress"], "ingress": []})


def test_policies_are_enforced(stack: Stack, start_bare: Start) -> None:
    topology = start_bare("policies")
    with policy_world(topology, stack.image_names["agnhost"]) as world:
        for seed in range(_COMBINATIONS):
            _the_table_is_the_oracles(world, seed)
        world.replace([_DENY])
        source, closed, neighbour = _three(world)
        _wait_closed(world, closed)
        machine = bring_up.running(topology)[world.pods[closed][0]]
        denied, allowed = (Stream(world.spaces[source], world.spaces[each], 9) for each in (closed, neighbour))
        _an_agent_is_killed_and_comes_back(world, machine, stack, denied, allowed)


def _the_table_is_the_oracles(world: PolicyWorld, seed: int) -> None:
    policies = combination(Random(seed), world.places)
    world.replace(policies)
    found = world.world()

    @cache
    def expected(cell: Cell) -> bool:
        return _decided(found, world, cell)

    deadline = time.monotonic() + _IN_FORCE_SECONDS
    while wrong := differences(world.prober.ask(world.cells(), expected), expected):
        text = f"seed {seed}: {wrong[:10]}\npolicies {json.dumps(policies)}"
        assert time.monotonic() < deadline, text


def _decided(found: World, world: PolicyWorld, cell: Cell) -> bool:
    def end(name: str, address: str) -> PodEnd | NodeEnd | Address:
        if name in world.nodes:
            return NodeEnd(name)
        return PodEnd(*name.split("/")) if name in world.pods else Address(address)

    source, target = end(cell.source, cell.origin), end(cell.target, cell.address)
    return decide(found, source, target, cell.protocol, cell.port).allowed


def _three(world: PolicyWorld) -> tuple[str, str, str]:
    """A pod on the other node than x/a, x/a, and a neighbour of it to which no policy applies."""
    node = world.pods["x/a"][0]
    source = next(each for each, (at, _) in world.pods.items() if at != node)
    neighbour = next(each for each, (at, _) in world.pods.items() if at == node and each != "x/a")
    return source, "x/a", neighbour


def _wait_closed(world: PolicyWorld, closed: str) -> None:
    deadline = time.monotonic() + _IN_FORCE_SECONDS
    cells = [each for each in world.cells() if each.target == closed and each.source in world.pods]
    while any(world.prober.ask(cells, lambda _: False).values()):
        assert time.monotonic() < deadline, f"{closed} is still reached"


def _an_agent_is_killed_and_comes_back(
    world: PolicyWorld, machine: RunningMachine, stack: Stack, denied: Stream, allowed: Stream
) -> None:
    node = next(each for each in world.topology.nodes if each.name == machine.spec.name)
    agnhost = stack.image_names["agnhost"]
    for each in (denied, allowed):
        each.start()
    try:
        machine.run(["kill", "-9", str(machine.components()["policy-agent"])])
        machine.wait_stopped("policy-agent")
        world.kube.create(pod_of_agnhost("x/late", node.name, agnhost))
        converge(world.kube, "a new pod to be refused", Selection(EVENT, "x"), _nothing_refused, budget=60)
        machine.start(components.policy_agent(world.topology, node, bring_up.programs(stack)))
        converge(world.kube, "it to start", Selection(POD, "x", name="late"), _not_ready, budget=60)
    finally:
        for each in (denied, allowed):
            each.stop()
    assert denied.sent > _MANY
    assert len(denied.arrived) == 0
    assert len(allowed.arrived) == allowed.sent > _MANY


def _nothing_refused(events: list[Object]) -> str:
    told = [each.get("message", "") for each in events if each["involvedObject"]["name"] == "late"]
    return "" if any("of policies for" in each for each in told) else f"its events: {told}"


def _not_ready(pods: list[Object]) -> str:
    return "" if pods and is_ready(pods[0]) else "it is not ready"
