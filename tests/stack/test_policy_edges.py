"""What no policy says and must hold all the same: unknown and false senders, Services, agents that begin anew."""

import select
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.policy_objects import Object, policy
from tests.stack.policy_bench import FABRIC, GHOST, PLACED, Bench, cells, own_node, pods, spaces
from tests.stack.probes import Cell

_DENY_X = policy("x/deny", {"policyTypes": ["Ingress", "Egress"]})
_SERVICE = "203.0.113.80"


def test_what_no_known_pod_has_is_neither_sent_nor_received(bench: Bench) -> None:
    """One way each: an answer would have to come the other way."""
    ghost, _, address = GHOST
    for source, target in (("x/a", "x/b"), (ghost, "x/a"), (ghost, "x/b"), ("x/a", ghost), ("x/b", ghost)):
        origin, called = (bench.spaces[each].addresses[0] for each in (source, target))
        assert _arrives(bench, source, origin, target, called) == (ghost not in (source, target)), (source, target)
    assert not _arrives(bench, ghost, address, "fabric", FABRIC[1])
    assert _arrives(bench, "x/a", PLACED["x/a"][1], "fabric", FABRIC[1])


def test_nobody_sends_with_the_address_of_another(bench: Bench) -> None:
    """A neighbour on the same node takes x/c's address, which alone is let in."""
    honest, target = "x/c", "x/a"
    liar = next(
        each for each, (node, _) in PLACED.items() if node == PLACED[honest][0] and each not in (honest, target)
    )
    from_honest = {"from": [{"podSelector": {"matchLabels": {"pod": "c"}}}]}
    closed = policy("x/p", {"podSelector": {"matchLabels": {"pod": "a"}}, "ingress": [from_honest]})
    bench.show([closed], pods(), spaces())
    own = PLACED[honest][1]
    subprocess.run(bench.command(liar, "ip", "addr", "add", f"{own}/32", "dev", "lo"), check=True)
    try:
        assert _arrives(bench, honest, own, target, PLACED[target][1])  # the instrument
        assert not _arrives(bench, liar, own, target, PLACED[target][1])
    finally:
        subprocess.run(bench.command(liar, "ip", "addr", "del", f"{own}/32", "dev", "lo"), check=True)


def _arrives(bench: Bench, source: str, origin: str, target: str, address: str) -> bool:
    """Whether a datagram that `source` sends from an address arrives at one of `target`."""
    with bench.spaces[target].entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with bench.spaces[source].entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server, client:
        server.bind((address, 9))
        client.bind((origin, 0))
        client.sendto(b".", (address, 9))
        return bool(select.select([server], [], [], 0.2)[0])


@pytest.fixture
def service(bench: Bench) -> Iterator[str]:
    """An address that every node translates to x/a, as kube-proxy does for a Service; the pod that it is of."""
    own = PLACED["x/a"][1]
    rules = f"""
    table ip service {{
      chain in {{ type nat hook prerouting priority dstnat; ip daddr {_SERVICE} dnat to {own}; }}
      chain out {{ type nat hook postrouting priority srcnat; ip saddr {own} ip daddr {own} masquerade; }}
    }}
    """
    for node in bench.agents:
        subprocess.run(bench.command(node, "nft", "-f", "-"), input=rules, text=True, check=True)
    yield "x/a"
    for node in bench.agents:
        subprocess.run(bench.command(node, "nft", "delete", "table", "ip", "service"), check=True)


def test_a_service_is_judged_by_the_pod_behind_it_and_a_pod_reaches_itself(bench: Bench, service: str) -> None:
    asked = [Cell(name, address, service, _SERVICE, "TCP", 80) for name, (_, address) in PLACED.items()]
    assert all(bench.prober.ask(asked, lambda _: True).values())
    bench.show([_DENY_X], pods(), spaces())
    found = bench.prober.ask(asked, lambda cell: cell.source == service)
    assert {cell.source for cell, got in found.items() if got} == {service}


def test_a_connection_that_a_policy_comes_to_forbid_goes_on_and_no_new_one_is_made(bench: Bench) -> None:
    source, target = "y/b", "x/a"
    with bench.spaces[target].entered():
        server = socket.create_server((PLACED[target][1], 9))
    with bench.spaces[source].entered():
        client = socket.socket()
    with server, client:
        client.settimeout(5)
        client.connect((PLACED[target][1], 9))
        served, _ = server.accept()
        with served:
            bench.show([_DENY_X], pods(), spaces())
            client.sendall(b"still there")
            served.settimeout(5)
            assert served.recv(16) == b"still there"
    new = Cell(source, PLACED[source][1], target, PLACED[target][1], "TCP", 80)
    assert not any(bench.prober.ask([new], lambda _: False).values())


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
