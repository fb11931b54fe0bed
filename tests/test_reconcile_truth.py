"""Conditions that objects speak against, and conditions that speak against objects."""

from dataclasses import replace
from typing import Any

import pytest

from tools.kube.conditions import conditions
from tools.kube.truth import Facts, lies, not_rolled_out, rolled_up_wrongly, slander


def service(**statuses: str) -> dict[str, Any]:
    rows = [{"type": name, "status": status} for name, status in statuses.items()]
    return {"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "conditions": rows}}


def deployment(wanted: int = 1, observed: int = 1, **counts: int) -> dict[str, Any]:
    whole = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), wanted)
    status = {"observedGeneration": observed, **whole, **counts}
    return {"metadata": {"generation": 1}, "spec": {"replicas": wanted}, "status": status}


def routed(status: str = "True") -> dict[str, Any]:
    rows = [{"type": name, "status": status, "observedGeneration": 1} for name in ("Accepted", "ResolvedRefs")]
    parent = {"parentRef": {"name": "gw", "namespace": "ns"}, "conditions": rows}
    return {"metadata": {"generation": 1, "namespace": "ns"}, "status": {"parents": [parent]}}


GATEWAY = {
    "metadata": {"generation": 1},
    "status": {"conditions": [{"type": name, "status": "True"} for name in ("Accepted", "Programmed")]},
}
TRUE = dict.fromkeys(
    ("MainWorkloadReady", "SchedulerWorkloadReady", "HTTPRoutesReady", "InferencePoolReady", "GatewaysReady"), "True"
)
WELL = Facts(service(**TRUE), deployment(), deployment(), routed(), routed(), GATEWAY, "ns/gw")


def test_all_is_true() -> None:
    assert lies(WELL) == slander(WELL) == []


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("workload", None, "MainWorkloadReady=True, but the servers' Deployment is not there"),
        ("workload", deployment(replicas=2), "wants 1 replicas and has {'replicas': 2"),
        ("workload", deployment(observed=0), "is of generation 1, and its controller has seen 0"),
        ("picker", deployment(availableReplicas=0), "SchedulerWorkloadReady=True"),
        ("route", routed("False"), "HTTPRoutesReady=True, but HTTPRoute: Accepted=False"),
        ("route", None, "the HTTPRoute is not there"),
        ("pool", {"metadata": {"generation": 1}}, "no entry for Gateway ns/gw"),
        ("gateway", None, "GatewaysReady=True, but Gateway ns/gw is not there"),
    ],
)
def test_true_conditions_are_held_against_objects(part: str, value: Any, words: str) -> None:
    changes: dict[str, Any] = {part: value}
    lines = lies(replace(WELL, **changes))
    assert any(words in each for each in lines), lines


def test_false_condition_without_reason_is_slander() -> None:
    false = replace(WELL, service=service(**TRUE | {"InferencePoolReady": "False"}))
    assert ["InferencePoolReady=False" in each for each in slander(false)] == [True]
    assert slander(replace(false, pool=None)) == []
    assert lies(false) == []


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ({"Ready": "True", "WorkloadsReady": "True", "RouterReady": "True"}, ""),
        ({"Ready": "True", "WorkloadsReady": "False"}, "Ready=True"),
        ({"WorkloadsReady": "True", "MainWorkloadReady": "False"}, "MainWorkloadReady=False"),
        ({"RouterReady": "True", "SchedulerWorkloadReady": "False"}, "SchedulerWorkloadReady=False"),
        ({"WorkloadsReady": "True", "SchedulerWorkloadReady": "False"}, ""),
        ({"Ready": "False", "WorkloadsReady": "False"}, ""),
    ],
)
def test_sums_are_sums_of_their_parts(statuses: dict[str, str], words: str) -> None:
    lines = rolled_up_wrongly(conditions(service(**statuses)))
    assert any(words in each for each in lines) if words else not lines


def test_of_several_pickers_one_is_enough() -> None:
    assert not_rolled_out(deployment(2, availableReplicas=1), "it", passive=True) == []
    assert not_rolled_out(deployment(2, availableReplicas=0), "it", passive=True)
    assert not_rolled_out(deployment(2, availableReplicas=1), "it")
