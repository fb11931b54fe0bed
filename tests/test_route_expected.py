"""What the route of a service must have, by version, against the one that KServe 0.19 made."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.llm_service import LlmService, Place
from tools.paths import CHECKOUT
from tools.route.compare import differences
from tools.route.expected import VERSIONS, Backend, Routed, Rule, expected_rules, minor
from tools.route.reading import Installed, configured_header, own_rules, routed, version_of, wrong_rules

ROUTE = json.loads((CHECKOUT / "tests/data/kserve-0.19-httproute.json").read_text())
SERVICE = json.loads((CHECKOUT / "tests/data/kserve-0.19-llmisvc.json").read_text())
HEADER = "X-Gateway-Model-Name"


@pytest.fixture
def qwen(serve: Serve) -> LlmService:
    """The service whose objects are recorded; it is asked for names alone."""
    return LlmService(serve(lambda *_: (404, {}))[1], "llm", "qwen", Place("kserve", "kserve-ingress-gateway"))


def _wanted(service: LlmService, version: str = "0.19", header: str = HEADER) -> list[Rule]:
    return expected_rules(version, routed(SERVICE, service, header))


def _lines(found: list[Rule], wanted: list[Rule]) -> list[str]:
    return [each.line for each in differences(found, wanted)]


def _rules() -> list[Rule]:
    rules: list[Rule] = copy.deepcopy(ROUTE["spec"]["rules"])
    return rules


def test_recorded_route_is_as_it_must_be(qwen: LlmService) -> None:
    assert _lines(_rules(), _wanted(qwen)) == []
    assert _lines(_rules()[::-1], _wanted(qwen)) == []


@pytest.mark.parametrize(("version", "rules"), [("0.16", 1), ("0.17", 3), ("0.18", 4), ("0.19", 8), ("0.20", 12)])
def test_each_version_has_its_number_of_rules(qwen: LlmService, version: str, rules: int) -> None:
    assert len(_wanted(qwen, version)) == rules
    assert _lines(_wanted(qwen, version), _wanted(qwen, version)) == []


@pytest.mark.parametrize("version", [each for each in VERSIONS if each != "0.19"])
def test_no_version_takes_another_for_its_own(qwen: LlmService, version: str) -> None:
    assert _lines(_rules(), _wanted(qwen, version))


def test_routing_by_model_can_be_off(qwen: LlmService) -> None:
    wanted = _wanted(qwen, header="")
    assert [each["name"] for each in wanted if "model-routing" in each["name"]] == []
    assert len([line for line in _lines(_rules(), wanted) if "is not KServe's" in line]) == 4


def test_adapters_are_named_in_the_header_too() -> None:
    pool, service = Backend("InferencePool", "p", "g"), Backend("Service", "s")
    rules = expected_rules("0.19", Routed("ns", "n", "m", pool, service, HEADER, ("a",)))
    (rule,) = [each for each in rules if each["name"] == "v1-completions-model-routing"]
    values = [match["headers"][0]["value"] for match in rule["matches"]]
    assert values == ["publishers/ns/models/m"] * 2 + ["publishers/ns/models/a"] * 2


def test_without_a_scheduler_all_goes_to_the_service(qwen: LlmService) -> None:
    spec = {key: value for key, value in SERVICE["spec"]["router"].items() if key != "scheduler"}
    found = SERVICE | {"spec": SERVICE["spec"] | {"router": spec}}
    rules = expected_rules("0.19", routed(found, qwen, HEADER))
    assert {each["backendRefs"][0]["name"] for each in rules} == {"qwen-kserve-workload-svc"}


def _drop(key: str) -> Callable[[list[Rule]], None]:
    return lambda rules: rules[0].pop(key)


def _into(*path: str | int, value: Any) -> Callable[[list[Rule]], None]:
    def change(rules: list[Rule]) -> None:
        at: Any = rules
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rules: rules.pop(0), "there is no rule v1-completions-path"),
        (lambda rules: rules.clear(), "there is no rule v1-catch-all-path"),
        (lambda rules: rules.append({"name": "mine", "backendRefs": []}), "rule mine is not KServe's: no backendRefs"),
        (lambda rules: rules.append(copy.deepcopy(rules[0])), "rule v1-completions-path is not KServe's"),
        (_drop("filters"), "rule v1-completions-path: filters none, not"),
        (_drop("timeouts"), "rule v1-completions-path: timeouts none, not"),
        (_drop("matches"), 'matches [{"headers": [], "path": {"type": "PathPrefix", "value": "/"}}]'),
        (_into(0, "timeouts", "request", value="1s"), '"request": "1s"'),
        (_into(0, "backendRefs", 0, "weight", value=0), '"weight": 0'),
        (_into(0, "backendRefs", 0, "port", value=8001), '"port": 8001'),
        (_into(0, "backendRefs", 0, "group", value="other"), '"group": "other"'),
        (_into(0, "backendRefs", 0, "filters", value=[{}]), '"filters": [{}]'),
        (_into(0, "retry", value={"attempts": 3}), 'retry {"attempts": 3}, not none'),
        (_into(0, "matches", 0, "method", value="POST"), '"method": "POST"'),
        (_into(1, "matches", 0, "headers", 0, "value", value="x"), "rule v1-completions-model-routing: matches"),
    ],
)
def test_every_change_is_told(qwen: LlmService, change: Callable[[list[Rule]], None], told: str) -> None:
    rules = _rules()
    change(rules)
    assert told in "\n".join(_lines(rules, _wanted(qwen)))


def test_what_the_api_server_puts_in_is_no_difference(qwen: LlmService) -> None:
    rules = _rules()
    del rules[0]["backendRefs"][0]["weight"], rules[7]["matches"][0]["path"]
    rules[1]["matches"].reverse()
    rules[1]["matches"][0]["headers"][0]["name"] = HEADER.lower()
    assert _lines(rules, _wanted(qwen)) == []


@pytest.mark.parametrize(
    ("version", "known"),
    [("0.19.0", "0.19"), ("0.19", "0.19"), ("0.21.3", "0.20"), ("1.0.0", "0.20"), ("0.15.2", ""), ("", ""), ("x", "")],
)
def test_minor_version_is_a_known_one(version: str, known: str) -> None:
    assert minor(version) == known


def test_of_versions_that_are_not_told_the_nearest_counts(qwen: LlmService) -> None:
    nobody = Installed("", (HEADER, ""))
    assert wrong_rules(ROUTE, SERVICE, qwen, nobody) == []
    without = ROUTE | {"spec": ROUTE["spec"] | {"rules": _wanted(qwen, header="")}}
    assert wrong_rules(without, SERVICE, qwen, nobody) == []
    assert [each.line for each in wrong_rules(without, SERVICE, qwen, Installed("0.19.0", (HEADER,)))]


def test_rules_of_the_services_own_take_the_place_of_the_presets(qwen: LlmService) -> None:
    own = [{"matches": [{"path": {"value": "/mine"}}], "backendRefs": [{"name": "s", "port": 80}]}]
    router = SERVICE["spec"]["router"] | {"route": {"http": {"spec": {"rules": own}}}}
    found = SERVICE | {"spec": SERVICE["spec"] | {"router": router}}
    assert own_rules(found) == own
    there = Installed("0.19.0", (HEADER,))
    told = ROUTE | {"spec": {"rules": [own[0] | {"backendRefs": [{"name": "s", "port": 80, "weight": 1}]}]}}
    assert wrong_rules(told, found, qwen, there) == []
    assert wrong_rules(ROUTE, found, qwen, there)


@pytest.mark.parametrize(
    ("image", "label", "version"),
    [
        ("docker.io/kserve/llmisvc-controller:v0.19.0", "", "0.19.0"),
        ("docker.io/kserve/llmisvc-controller@sha256:12", "v0.18.1", "0.18.1"),
        ("docker.io/kserve/llmisvc-controller:latest", "", ""),
    ],
)
def test_version_is_the_controllers(image: str, label: str, version: str) -> None:
    labels = {"app.kubernetes.io/version": label} if label else {}
    template = {"spec": {"containers": [{"name": "manager", "image": image}]}}
    assert version_of({"metadata": {"labels": labels}, "spec": {"template": template}}) == version


@pytest.mark.parametrize(
    ("ingress", "annotated", "header"),
    [
        ({}, False, HEADER),
        ({"modelBasedRoutingHeaderName": "X-Model"}, False, "X-Model"),
        ({"modelBasedRoutingMode": "disabled"}, False, ""),
        ({}, True, ""),
        ({"modelBasedRoutingMode": "forced"}, True, HEADER),
    ],
)
def test_header_is_the_configured_one(ingress: dict[str, str], annotated: bool, header: str) -> None:
    annotations = {"serving.kserve.io/model-based-routing-enabled": "false"} if annotated else {}
    assert configured_header(ingress, annotations) == header
