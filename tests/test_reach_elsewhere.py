"""The table on clusters that are not this machine's: what cannot be asked there is shown, and judges nothing."""

from dataclasses import replace
from typing import Any

import pytest

from tests.reach_world import FACTS, OUTSIDE, around, table
from tools.kube.doors import Door, Outside
from tools.kube.model_hub import REAL
from tools.netpolicy.facts import ModelSource
from tools.probe.verdict import Verdict
from tools.reach.cells import Cell, What, Who
from tools.reach.ephemeral import added, running
from tools.reach.kubelet import ports_reached
from tools.reach.table import Mark, Table, not_probed
from tools.reach.targets import Around, targets
from tools.reach.unasked import may_lack, unasked


def everything(_: Cell) -> bool:
    return True


def without_doors() -> Around:
    return replace(around(), outside=Outside())


def of_others(here: Around, *rows: Who) -> Table:
    """The table as it is where some rows cannot be asked, and pods from outside neither."""
    asked = [
        each
        for each in table().rows
        if each.cell[0] not in (*rows, Who.NODE)
        and each.cell[1] in {to.what for to in targets(here)}
        and (each.cell[0] is not Who.OUTSIDE or each.cell[1] in (What.BALANCER, What.BALANCER_TLS))
    ]
    cannot = dict.fromkeys(rows, "the gateway is somebody else's")
    return Table(here.shape, asked, unasked(here, {each.cell for each in asked}, cannot, everything))


def test_what_cannot_be_asked_has_its_reason() -> None:
    found = of_others(without_doors(), Who.GATEWAY).not_asked
    assert found[Who.GATEWAY, What.SERVER] == "the gateway is somebody else's"
    assert "--allow-external" in found[Who.STRANGER, What.METADATA]
    assert "--allow-external" in found[Who.PICKER, What.INTERNET]
    assert "kubelet" in found[Who.NODE, What.TUNNEL]
    assert "outside" in found[Who.OUTSIDE, What.SERVER]
    assert (Who.OTHER, What.SERVER) not in found
    assert [cell for cell in found if may_lack(cell)] == []


def test_what_should_have_been_asked_has_no_reason() -> None:
    here = around()
    assert unasked(here, set(), {}, lambda cell: cell == (Who.OTHER, What.SERVER)) == {}
    assert unasked(here, set(), {}, lambda cell: cell == (Who.SERVER, What.METADATA)) == {}


def test_only_what_is_wanted_and_not_asked_is_told() -> None:
    here, cell = without_doors(), (Who.NODE, What.TUNNEL)
    assert unasked(here, set(), {}, lambda one: one == cell).keys() == {cell}
    assert unasked(here, {cell}, {}, lambda one: one == cell) == {}


def test_the_real_hub_has_no_address_to_connect_to() -> None:
    facts = replace(FACTS, source=ModelSource("0.0.0.0/0", (), 443, str(REAL.address)))
    here = replace(around(facts=facts), outside=replace(OUTSIDE, internet=Door("198.51.100.29", 443)))
    assert What.HUB not in {each.what for each in targets(here)}
    assert "no address" in unasked(here, set(), {}, lambda one: one == (Who.SERVER, What.HUB))[Who.SERVER, What.HUB]


def test_no_pod_is_made_beside_an_audited_service() -> None:
    here = replace(around(), stranger=None)
    assert "audited" in unasked(here, set(), {}, everything)[Who.OTHER, What.STRANGER]


def test_it_is_drawn_with_its_reason_and_does_not_count() -> None:
    found = of_others(without_doors(), Who.GATEWAY)
    row = next(line for line in found.drawn().splitlines() if line.startswith("gateway "))
    assert set(row.split()[1:]) == {"?"}
    assert "? gateway to server-8000, " in found.drawn()
    assert "not probed: the gateway is somebody else's" in found.drawn()
    assert found.wrong() == []


def test_reasons_are_told_once_for_a_row() -> None:
    cells: dict[Cell, str] = {(Who.NODE, What.SERVER): "a", (Who.NODE, What.PICKER): "a", (Who.FAR, What.PICKER): "b"}
    assert not_probed(cells) == [
        "node to server-8000, picker-9002: not probed: a",
        "far to picker-9002: not probed: b",
    ]


def test_another_port_of_the_pod_is_a_control_where_its_node_cannot_be_one() -> None:
    found = of_others(around())
    marks = {each.cell: found.mark(each) for each in found.rows}
    # Nobody but the node reaches it; the gateway reaches the same pod.
    assert marks[Who.OTHER, What.TUNNEL] is Mark.RIGHT
    assert marks[Who.OTHER, What.METRICS] is Mark.RIGHT
    alone = Table(found.shape, [each for each in found.rows if each.cell[1] is What.TUNNEL], found.not_asked)
    assert {alone.mark(each) for each in alone.rows} == {Mark.UNTOLD}


def test_where_its_node_can_be_asked_another_port_is_no_control() -> None:
    found = table(changed={(who, What.TUNNEL): Verdict.DROPPED for who in Who})
    assert found.mark(next(each for each in found.rows if each.cell == (Who.OTHER, What.TUNNEL))) is Mark.UNTOLD


def pod(probe: Any, *, ready: bool = True, **more: Any) -> dict[str, Any]:
    container = {"name": "main", "ports": [{"name": "web", "containerPort": 8000}], "readinessProbe": probe}
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {"metadata": {}, "spec": {"containers": [container]} | more, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("found", "ports"),
    [
        (pod({"httpGet": {"port": 8000}}), {8000}),
        (pod({"tcpSocket": {"port": "web"}}), {8000}),
        (pod({"grpc": {"port": 9003}}), {9003}),
        (pod({"exec": {"command": ["true"]}}), set()),
        (pod(None), set()),
        (pod({"httpGet": {"port": 8000}}, ready=False), set()),
        (pod({"httpGet": {"port": 8000, "host": "192.0.2.1"}}), set()),
        (pod({"httpGet": {"port": "nameless"}}), set()),
        (pod(None, initContainers=[{"name": "proxy", "readinessProbe": {"httpGet": {"port": 15021}}}]), {15021}),
    ],
)
def test_a_kubelet_tells_of_the_ports_that_it_asks(found: dict[str, Any], ports: set[int]) -> None:
    assert ports_reached(found) == ports


def entered(*states: str, names: tuple[str, ...] = ()) -> dict[str, Any]:
    named = names or tuple(f"llmisvc-conformance-prober-{number}" for number in range(len(states)))
    statuses = [{"name": name, "state": {state: {}}} for name, state in zip(named, states, strict=True)]
    spec = {"ephemeralContainers": [{"name": name} for name in named]}
    return {"metadata": {}, "spec": spec, "status": {"ephemeralContainerStatuses": statuses}}


def test_an_ephemeral_container_that_runs_is_used_again() -> None:
    assert running(entered("terminated", "running")) == "llmisvc-conformance-prober-1"
    assert running(entered("terminated")) == ""
    assert running(entered("running", names=("debugger",))) == ""
    assert running({"metadata": {}, "spec": {}}) == ""


def test_others_ephemeral_containers_stay_and_ours_has_a_name_of_its_own() -> None:
    found = added(entered("terminated", "running", names=("debugger", "llmisvc-conformance-prober-0")), "agnhost@x")
    names = [each["name"] for each in found["spec"]["ephemeralContainers"]]
    assert names == ["debugger", "llmisvc-conformance-prober-0", "llmisvc-conformance-prober-1"]
    ours = found["spec"]["ephemeralContainers"][-1]
    assert (ours["image"], ours["securityContext"]["runAsUser"]) == ("agnhost@x", 1337)
    assert "resources" not in ours  # the API refuses them
