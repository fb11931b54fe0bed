"""Parents of a route, routes of others, and services of one model: pure decisions on objects."""

import copy
import json
from typing import Any

import pytest

from tools.kube.client import Object
from tools.kube.llm_service import Place
from tools.paths import CHECKOUT
from tools.route.expected import Backend, Routed
from tools.route.foreign import attached, takers
from tools.route.parents import wanted_parents, wrong_parents
from tools.route.suspects import collision, shared_names
from tools.route.twins import namesakes

ROUTE = json.loads((CHECKOUT / "tests/data/kserve-0.19-httproute.json").read_text())
SERVICE = json.loads((CHECKOUT / "tests/data/kserve-0.19-llmisvc.json").read_text())
GATEWAY = Place("kserve", "kserve-ingress-gateway")
ISTIO = "istio.io/gateway-controller"
POOL, WORKLOAD = Backend("InferencePool", "qwen-inference-pool", "g"), Backend("Service", "s")
QWEN = Routed("llm", "qwen", "Qwen/Qwen2.5-3B-Instruct", POOL, WORKLOAD)


def _wrong(route: Object) -> list[str]:
    return wrong_parents(route, wanted_parents(SERVICE, GATEWAY), ISTIO)


def _route() -> Object:
    found: Object = copy.deepcopy(ROUTE)
    return found


def test_recorded_route_is_taken() -> None:
    assert _wrong(_route()) == []


def test_entries_of_others_count_for_nothing() -> None:
    route = _route()
    no = {"type": "Accepted", "status": "False", "reason": "No", "observedGeneration": 2}
    route["status"]["parents"].insert(
        0, route["status"]["parents"][0] | {"controllerName": "policy", "conditions": [no]}
    )
    assert _wrong(route) == []
    del route["status"]["parents"][1]
    assert _wrong(route) == [
        f"Gateway {GATEWAY}: status.parents has no entry of {ISTIO} for it (of others: policy)",
    ]


def test_words_about_an_older_generation_do_not_count() -> None:
    route = _route()
    route["metadata"]["generation"] = 3
    assert len([line for line in _wrong(route) if "STALE" in line]) == 2


@pytest.mark.parametrize(
    ("parents", "told"),
    [
        ([], [f"parentRefs has no Gateway {GATEWAY}"]),
        (
            [{"name": "other"}],
            [f"parentRefs has no Gateway {GATEWAY}", "parentRefs has Gateway llm/other, which nobody asked for"],
        ),
        (
            [{"name": GATEWAY.name, "namespace": GATEWAY.namespace, "sectionName": "x"}],
            [
                f"parentRefs has no Gateway {GATEWAY}",
                f"parentRefs has Gateway {GATEWAY}, listener x, which nobody asked for",
            ],
        ),
    ],
)
def test_other_parents_are_told(parents: list[Object], told: list[str]) -> None:
    route = _route()
    route["spec"]["parentRefs"] = parents
    assert _wrong(route) == told


def test_gateways_that_the_service_names_are_wanted() -> None:
    refs = [{"name": "gw", "sectionName": "https"}, {"name": "b", "namespace": "other"}]
    found = SERVICE | {"spec": {"router": {"gateway": {"refs": refs}}}}
    wanted = wanted_parents(found, GATEWAY)
    assert [(each["namespace"], each["name"], each.get("sectionName")) for each in wanted] == [
        ("llm", "gw", "https"),
        ("other", "b", None),
    ]


def _other(match: Object | None, hosts: list[str] | None = None, **meta: str) -> Object:
    rule: dict[str, Any] = {"backendRefs": [{"name": "else", "port": 80}]}
    rule |= {"matches": [match]} if match is not None else {}
    spec: Object = {"parentRefs": [{"name": GATEWAY.name, "namespace": GATEWAY.namespace}], "rules": [rule]}
    spec |= {"hostnames": hosts} if hosts else {}
    return {"metadata": {"name": "o", "namespace": "x", "uid": "2", **meta}, "spec": spec}


def _path(value: str, kind: str = "PathPrefix") -> Object:
    return {"path": {"type": kind, "value": value}}


def _taken(route: Object) -> list[str]:
    return takers([_route(), route], Place("llm", "qwen-kserve-route"), GATEWAY, QWEN)


@pytest.mark.parametrize(
    "route",
    [
        _other(_path("/llm/qwen")),
        _other(_path("/llm/qwen/")),
        _other(_path("/llm/qwen/v1/completions", "Exact")),
        _other(_path("/llm/[a-z]*/v1/.*", "RegularExpression")),
        _other(_path("/"), ["chat.example"]),
        _other(None, ["*.example"]),
        _other(_path("/llm"), ["chat.example"]),
        _other({"headers": [{"name": "x-gateway-model-name", "value": QWEN.publisher}]}),
    ],
)
def test_what_takes_requests_is_told(route: Object) -> None:
    (line,) = _taken(route)
    assert line.startswith("HTTPRoute x/o takes ")
    assert line.endswith("leads to Service else")


@pytest.mark.parametrize(
    "route",
    [
        _other(_path("/")),
        _other(None),
        _other(_path("/llm")),
        _other(_path("/llm/qwen2")),
        _other(_path("/llm/qwen2"), ["chat.example"]),
        _other(_path("/other/.*", "RegularExpression")),
        _other({"headers": [{"name": "x-gateway-model-name", "value": "publishers/llm/models/other"}]}),
        _other(_path("/llm/qwen")) | {"spec": {"parentRefs": [{"name": "another"}], "rules": []}},
    ],
)
def test_what_takes_none_is_not_told(route: Object) -> None:
    assert _taken(route) == []


def test_attached_is_what_asks_for_the_gateway() -> None:
    assert attached(_route(), GATEWAY)
    assert not attached(_route(), Place("llm", GATEWAY.name))


def test_rules_that_lead_to_pools_must_have_names_of_their_own() -> None:
    twin = _route()
    twin["metadata"] |= {"name": "twin-kserve-route", "uid": "3"}
    shared = shared_names([_route(), twin, _other(_path("/x"))], _route(), GATEWAY)
    assert list(shared) == ["llm/twin-kserve-route"]
    assert "v1-completions-path" in shared["llm/twin-kserve-route"]
    assert "v1-catch-all-path" not in shared["llm/twin-kserve-route"]
    (line,) = collision(shared)
    assert "istio#61594" in line


def _service(name: str, model: str | None = None, namespace: str = "llm", adapters: tuple[str, ...] = ()) -> Object:
    spec: dict[str, Any] = {"model": {"name": model} if model else {}}
    if adapters:
        spec["model"]["lora"] = {"adapters": [{"name": each} for each in adapters]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (_service("b", "m"), ["b"]),
        (_service("m"), ["m"]),
        (_service("b", "x", adapters=("m",)), ["b"]),
        (_service("b", "m", "elsewhere"), []),
        (_service("b", "x"), []),
        (_service("a", "m"), []),
    ],
)
def test_services_of_one_model_name_are_told(other: Object, same: list[str]) -> None:
    assert namesakes([_service("a", "m"), other], _service("a", "m")) == same
