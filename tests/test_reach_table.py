"""The table of who reaches what: what is promised of each cell, how it is judged, drawn and explained."""

from dataclasses import replace

import pytest

from tests.reach_world import FACTS, around, table
from tools.probe.verdict import Verdict
from tools.reach import explain
from tools.reach.cells import OF_PICKER, OF_SERVER, OUTWARDS, Cell, What, Who
from tools.reach.promise import Shape, cells, promised
from tools.reach.table import Mark
from tools.reach.targets import targets

FULL = Shape(server_downloads=True)
NEEDED = {
    (Who.GATEWAY, What.SERVER),
    (Who.GATEWAY, What.PICKER),
    (Who.GATEWAY, What.DNS_UDP),
    (Who.GATEWAY, What.DNS_TCP),
    (Who.GATEWAY, What.ISTIOD),
    (Who.PICKER, What.SERVER),
    (Who.PICKER, What.API),
    (Who.PICKER, What.DNS_UDP),
    (Who.PICKER, What.DNS_TCP),
    (Who.SERVER, What.DNS_UDP),
    (Who.SERVER, What.DNS_TCP),
    (Who.SERVER, What.ISTIOD),
    (Who.SERVER, What.HUB),
    (Who.OUTSIDE, What.BALANCER),
    (Who.OUTSIDE, What.BALANCER_TLS),
    (Who.OUTSIDE, What.GATE_HEALTH),
}


def test_only_what_the_required_flows_name_is_open() -> None:
    found = {cell for cell in cells(FULL) if (told := promised(FULL, cell)) and told.open and cell[0] is not Who.NODE}
    assert found == NEEDED


def test_a_node_reaches_its_own_pods_whatever_policies_say() -> None:
    assert {cell[1] for cell in cells(FULL) if cell[0] is Who.NODE} >= {*OF_SERVER, *OF_PICKER}


def test_of_others_ways_out_nothing_is_promised() -> None:
    strangers = (Who.OTHER, Who.DEFAULT, Who.MONITORING, Who.FAR, Who.NODE, Who.OUTSIDE)
    assert [cell for cell in cells(FULL) if cell[0] in strangers and cell[1] in OUTWARDS] == []


@pytest.mark.parametrize(
    ("shape", "gone"),
    [
        (Shape(picker=False), {What.PICKER, What.HEALTH, What.METRICS}),
        (Shape(sidecars=False), {What.INBOUND, What.TUNNEL, What.AGENT, What.ENVOY}),
        (Shape(gateway_inside=False), {What.GATE_HEALTH, What.GATE_AGENT, What.GATE_ENVOY}),
    ],
)
def test_what_is_not_there_is_not_asked(shape: Shape, gone: set[What]) -> None:
    assert gone & {cell[1] for cell in cells(shape)} == set()
    assert gone <= {cell[1] for cell in cells(Shape())}


def test_a_gateway_of_another_namespace_is_not_held_to_the_services_policies() -> None:
    shape = Shape(gateway_inside=False)
    assert promised(shape, (Who.GATEWAY, What.INTERNET)) is None
    assert promised(shape, (Who.GATEWAY, What.SERVER)) is not None


def test_with_strict_mutual_tls_the_picker_reads_from_the_agent_alone() -> None:
    shape = Shape(scraped_at_agent=True)
    agent, server = promised(shape, (Who.PICKER, What.AGENT)), promised(shape, (Who.PICKER, What.SERVER))
    assert agent is not None
    assert server is not None
    assert (agent.open, server.open) == (True, False)
    facts = replace(FACTS, scraped=15020)
    found = table(facts=facts)
    assert found.wrong(Mark.LEAK, Mark.LACK, Mark.UNTOLD) == []
    assert found.disagreeing() == []


def test_prometheus_is_let_in_where_it_is_the_promised_one() -> None:
    cell: Cell = (Who.MONITORING, What.METRICS)
    opened, closed = promised(Shape(monitored=True), cell), promised(Shape(), cell)
    assert opened is not None
    assert opened.open
    assert closed is not None
    assert not closed.open


def test_the_policies_that_ship_keep_every_promise() -> None:
    found = table()
    assert found.wrong(Mark.LEAK, Mark.LACK, Mark.UNTOLD) == []
    assert found.disagreeing() == []
    assert {each.cell for each in found.rows} >= set(NEEDED)


def test_every_promised_cell_has_a_row() -> None:
    own = {(Who.SERVER, what) for what in OF_SERVER} | {(Who.PICKER, what) for what in OF_PICKER}
    own |= {(Who.GATEWAY, what) for what in (What.GATE_HEALTH, What.GATE_AGENT, What.GATE_ENVOY)}
    own.add((Who.STRANGER, What.STRANGER))
    assert set(cells(around().shape)) - {each.cell for each in table().rows} == own


@pytest.mark.parametrize(
    ("cell", "verdict", "mark"),
    [
        ((Who.OTHER, What.SERVER), Verdict.ALLOWED, Mark.LEAK),
        ((Who.OTHER, What.SERVER), Verdict.REFUSED, Mark.LEAK),
        ((Who.OTHER, What.SERVER), Verdict.RESET, Mark.LEAK),
        ((Who.OTHER, What.SERVER), Verdict.UNREACHABLE, Mark.RIGHT),
        ((Who.OTHER, What.SERVER), Verdict.PROBE_FAILED, Mark.UNTOLD),
        ((Who.GATEWAY, What.SERVER), Verdict.DROPPED, Mark.LACK),
        ((Who.GATEWAY, What.SERVER), Verdict.REFUSED, Mark.LACK),
        ((Who.GATEWAY, What.SERVER), Verdict.PROBE_FAILED, Mark.UNTOLD),
        ((Who.NODE, What.TUNNEL), Verdict.REFUSED, Mark.RIGHT),
        ((Who.NODE, What.TUNNEL), Verdict.DROPPED, Mark.LACK),
        ((Who.DEFAULT, What.INTERNET), Verdict.DROPPED, Mark.NOTHING),
    ],
)
def test_a_cell_is_judged_by_what_came_back(cell: Cell, verdict: Verdict, mark: Mark) -> None:
    found = table(changed={cell: verdict})
    assert found.mark(next(each for each in found.rows if each.cell == cell)) is mark


def test_a_denial_without_a_control_says_nothing() -> None:
    dead = {(who, What.METRICS): Verdict.DROPPED for who in Who}
    found = table(changed=dead)
    untold = {each.cell for each in found.wrong(Mark.UNTOLD)}
    assert (Who.OTHER, What.METRICS) in untold
    assert {cell[1] for cell in untold} == {What.METRICS}
    assert "nobody reaches it" in explain.line(found, found.wrong(Mark.UNTOLD)[0])


def test_the_drawing_has_a_mark_for_every_cell_and_tells_of_the_wrong_ones() -> None:
    changed = {(Who.OTHER, What.SERVER): Verdict.ALLOWED, (Who.GATEWAY, What.PICKER): Verdict.DROPPED}
    drawn = table(changed=changed).drawn()
    heads = drawn.splitlines()[0].split()
    assert heads[:1] == ["server-8000"]
    assert {"internet", "metadata", "load-balancer"} <= set(heads)
    row = next(line for line in drawn.splitlines() if line.startswith("other "))
    assert (row.split()[1], set(row.split()[2:])) == ("X", {"."})
    assert "X other to server-8000: ALLOWED" in drawn
    assert "! gateway to picker-9002: DROPPED" in drawn


def test_a_failure_names_who_what_where_expected_seen_and_the_rule() -> None:
    everybody = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": "llm", "name": "allow-probes"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"namespaceSelector": {}}]}]},
    }
    found = table([*around().world.policies, everybody])
    wrong = next(each for each in found.wrong() if each.cell == (Who.OTHER, What.SERVER))
    line = explain.line(found, wrong)
    for words in (
        "a pod of another namespace (llm-other/prober-other)",
        "to the server's port 8000 (TCP 10.0.1.",
        "expected DROPPED, seen ALLOWED",
        "llm/allow-probes ingress[0] lets it through",
        "namespaceSelector: {}",
    ):
        assert words in line
    assert "admits more than it says" in explain.cause(found, wrong)
    assert explain.next_step(wrong)[:2] == ["-n", "llm"]


def test_what_is_not_enforced_is_told_apart_from_what_is_not_written() -> None:
    found = table(changed={(Who.OTHER, What.SERVER): Verdict.ALLOWED})
    assert "not enforced" in explain.cause(found, found.wrong()[0])
    assert [each.cell for each in found.disagreeing()] == [(Who.OTHER, What.SERVER)]
    without = table([])
    assert without.disagreeing() == []
    assert "no policy selects the pod" in explain.cause(without, without.wrong(Mark.LEAK)[0])


def test_a_target_behind_a_service_is_judged_by_its_ends() -> None:
    found = {each.what: each for each in targets(around())}
    assert (found[What.API].place, found[What.API].ends[0][1]) == ("10.96.0.1:443", 6443)
    assert str(found[What.DNS_UDP].ends[0][0]) == "kube-system/dns"
