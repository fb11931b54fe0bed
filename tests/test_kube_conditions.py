"""Conditions: stale ones never count, and what is said about them helps."""

from typing import Any

from tools.kube.conditions import conditions, lacking, lacking_at_parent
from tools.kube.llm_service import expected_conditions, not_ready


def _object(generation: int, *rows: dict[str, Any], **status: Any) -> dict[str, Any]:
    meta = {"name": "a", "namespace": "ns", "generation": generation}
    return {"kind": "Gateway", "metadata": meta, "status": {"conditions": list(rows)} | status}


def _row(type_: str, status: str = "True", observed: int | None = None, **more: str) -> dict[str, Any]:
    return {"type": type_, "status": status, **({} if observed is None else {"observedGeneration": observed}), **more}


def test_true_about_an_older_generation_does_not_hold() -> None:
    found = conditions(_object(2, _row("Programmed", observed=1, reason="Programmed", message="all well")))
    assert not found["Programmed"].holds
    text = "Programmed=True STALE (Programmed: all well, observedGeneration 1 of 2)"
    assert lacking(found, ["Programmed"]) == [text]


def test_conditions_without_generation_are_taken_as_they_are() -> None:
    assert conditions(_object(5, _row("Ready")))["Ready"].holds


def test_absent_condition_is_named() -> None:
    assert lacking(conditions(_object(1)), ["Ready"]) == ["Ready is absent"]


def _route(*parents: dict[str, Any]) -> dict[str, Any]:
    return _object(2, parents=list(parents))


def test_parent_is_known_by_name_and_namespace_only() -> None:
    # Istio writes a pool's parent with the group networking.istio.io.
    reference = {"group": "networking.istio.io", "kind": "Gateway", "name": "gw"}
    found = _route({"parentRef": reference, "conditions": [_row("Accepted", observed=2)]})
    assert lacking_at_parent(found, "ns/gw", ["Accepted"]) == []


def test_missing_parent_says_which_are_there() -> None:
    found = _route({"parentRef": {"name": "other", "namespace": "kserve"}, "conditions": []})
    assert lacking_at_parent(found, "ns/gw", ["Accepted"]) == [
        "no entry for Gateway ns/gw in status.parents (there: kserve/other)"
    ]


def test_every_entry_of_a_parent_counts() -> None:
    good, bad = _row("Accepted", observed=2), _row("Accepted", "False", 2, reason="NoMatchingParent")
    found = _route(*({"parentRef": {"name": "gw"}, "conditions": [row]} for row in (good, bad)))
    assert lacking_at_parent(found, "ns/gw", ["Accepted"]) == [
        "Accepted=False (NoMatchingParent, observedGeneration 2 of 2)"
    ]


def test_conditions_follow_from_the_specification() -> None:
    minimal: dict[str, Any] = {"router": {"route": {}, "gateway": {}, "scheduler": {}}}
    named = {"router": {"route": {}, "gateway": {"refs": [{"name": "gw"}]}}}
    assert "GatewaysReady" not in expected_conditions(minimal)
    assert {"InferencePoolReady", "SchedulerWorkloadReady"} < set(expected_conditions(minimal))
    assert "GatewaysReady" in expected_conditions(named)
    assert "InferencePoolReady" not in expected_conditions(named)
    assert expected_conditions({}) == ["Ready", "PresetsCombined", "WorkloadsReady", "MainWorkloadReady"]


def test_ready_about_an_older_generation_is_not_ready() -> None:
    rows = [_row(name) for name in expected_conditions({})]
    found = _object(3, *rows, observedGeneration=2) | {"spec": {}}
    assert not_ready(found) == ["the controller has seen generation 2 of 3: does it run?"]
    assert not_ready(_object(3, *rows, observedGeneration=3) | {"spec": {}}) == []


def test_service_without_status_is_not_ready() -> None:
    found = {"metadata": {"name": "a", "generation": 1}, "spec": {}}
    assert not_ready(found) == ["the controller has seen generation None of 1: does it run?"]
