"""Conditions: stale ones never count, and what is said about them helps."""

from typing import Any

from tools.kube.conditions import conditions, lacking, lacking_at_parent, stale
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


def test_own_conditions_are_as_old_as_the_status() -> None:
    # KServe and Deployments say it once, for all of them.
    found = conditions(_object(3, _row("Ready", reason="AllWell"), observedGeneration=2))
    assert lacking(found, ["Ready"]) == ["Ready=True STALE (AllWell, observedGeneration 2 of 3)"]
    assert conditions(_object(3, _row("Ready"), observedGeneration=3))["Ready"].holds


def test_conditions_in_lists_below_are_not() -> None:
    found = _object(3, observedGeneration=2)
    assert conditions(found, [_row("Accepted")])["Accepted"].holds


def test_own_generation_of_a_condition_goes_before_that_of_the_status() -> None:
    assert conditions(_object(3, _row("Ready", observed=3), observedGeneration=2))["Ready"].holds
    assert not conditions(_object(3, _row("Ready", observed=2), observedGeneration=3))["Ready"].holds


def test_gateway_api_has_to_say_for_which_generation() -> None:
    found = conditions(_object(2, _row("Programmed")) | {"apiVersion": "gateway.networking.k8s.io/v1"})
    assert lacking(found, ["Programmed"]) == ["Programmed=True STALE (no reason given, no observedGeneration of 2)"]


def test_unknown_is_not_true_and_is_told() -> None:
    found = conditions(_object(1, _row("Accepted", "Unknown", reason="Pending", message="Waiting for controller")))
    assert lacking(found, ["Accepted"]) == ["Accepted=Unknown (Pending: Waiting for controller)"]


def test_all_that_is_stale_is_listed() -> None:
    listener = {"name": "http", "conditions": [_row("ResolvedRefs", observed=1), _row("Programmed", observed=3)]}
    parent = {"parentRef": {"name": "gw"}, "conditions": [_row("Accepted", observed=2)]}
    found = _object(3, _row("Ready"), observedGeneration=2, listeners=[listener], parents=[parent])
    assert stale(found) == [
        "status.observedGeneration is 2 of 3",
        "Ready=True STALE (no reason given, observedGeneration 2 of 3)",
        "ns/gw: Accepted=True STALE (no reason given, observedGeneration 2 of 3)",
        "http: ResolvedRefs=True STALE (no reason given, observedGeneration 1 of 3)",
    ]
    assert stale(_object(3, _row("Ready"), observedGeneration=3)) == []
    assert stale({"metadata": {"name": "a"}}) == []


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
