"""The address plan of a local cluster."""

from ipaddress import IPv4Network

import pytest

from tools.cluster.local.addresses import choose
from tools.errors import UserError


def test_first_choice_on_an_empty_host() -> None:
    plan = choose([])
    assert str(plan.block) == "10.200.0.0/16"
    assert str(plan.load_balancers) == "198.51.100.0/27"


def test_ranges_do_not_overlap_and_stay_in_the_block() -> None:
    plan = choose([])
    parts = [plan.nodes, plan.host_link, plan.services, plan.pods]
    assert all(part.subnet_of(plan.block) for part in parts)
    assert not any(a.overlaps(b) for i, a in enumerate(parts) for b in parts[i + 1 :])
    assert plan.node_pods(0) != plan.node_pods(1)
    apart = {plan.hub, plan.internet, plan.silent}
    assert len(apart) == 3
    assert apart <= set(plan.load_balancers.hosts())
    assert all(plan.node_pods(i).subnet_of(plan.pods) for i in range(2))


@pytest.mark.parametrize("used", ["10.200.0.0/16", "10.200.7.0/24", "10.128.0.0/9"])
def test_a_block_that_the_host_routes_is_left_alone(used: str) -> None:
    taken = [IPv4Network(used), IPv4Network("198.51.100.64/26"), IPv4Network("198.51.100.0/28")]
    if used == "10.128.0.0/9":
        with pytest.raises(UserError, match=r"10\.128\.0\.0/9"):
            choose(taken)
        return
    plan = choose(taken)
    assert str(plan.block) == "10.201.0.0/16"
    assert str(plan.load_balancers) == "198.51.100.32/27"


def test_two_clusters_get_different_addresses() -> None:
    first = choose([])
    second = choose([first.block, first.load_balancers])
    assert not first.block.overlaps(second.block)
    assert not first.load_balancers.overlaps(second.load_balancers)
