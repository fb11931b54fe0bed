"""What is in the way to the picker, told without ever taking the failure's place."""

from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.client import Object
from tools.kube.llm_service import LlmService, Place
from tools.kube.picker_path import obstacles, serving_trouble, tls_trouble, verifying_trouble


def _rule(host: str, name: str = "r", **policy: Any) -> Object:
    return {"metadata": {"name": name}, "spec": {"host": host, "trafficPolicy": policy}}


_SIMPLE = {"mode": "SIMPLE", "insecureSkipVerify": True}
_MUTUAL = {"mode": "ISTIO_MUTUAL"}


@pytest.mark.parametrize(
    "host", ["epp", "epp.ns", "epp.ns.svc", "epp.ns.svc.cluster.local", "*.ns.svc.cluster.local", "*"]
)
def test_rule_is_known_by_every_name_of_the_service(host: str) -> None:
    assert tls_trouble([_rule(host, tls=_SIMPLE)], "epp", "ns") == []
    assert tls_trouble([_rule(host, tls=_MUTUAL)], "epp", "ns") == [
        "DestinationRule r for epp has tls mode ISTIO_MUTUAL, not SIMPLE"
    ]


@pytest.mark.parametrize("host", ["other", "epp.other.svc.cluster.local", "*.other.svc.cluster.local", "epp-2.ns"])
def test_rule_for_another_service_is_none(host: str) -> None:
    (line,) = tls_trouble([_rule(host, tls=_SIMPLE)], "epp", "ns")
    assert "there is no DestinationRule for epp in ns" in line


def test_rule_for_the_service_goes_before_one_for_all() -> None:
    rules = [_rule("*", "mesh", tls=_MUTUAL), _rule("epp", tls=_SIMPLE)]
    assert tls_trouble(rules, "epp", "ns") == []


def test_rule_for_its_port_goes_before_that_for_all_ports() -> None:
    ports = [{"port": {"number": 9002}, "tls": _SIMPLE}, {"port": {"number": 9090}}]
    assert tls_trouble([_rule("epp", tls=_MUTUAL, portLevelSettings=ports)], "epp", "ns") == []


def _obstacles(serve: Serve, answers: dict[str, tuple[int, Any]]) -> list[str]:
    def answer(_method: str, path: str, *_: Any) -> tuple[int, Any]:
        return next((found for part, found in answers.items() if part in path), (404, {"message": "not found"}))

    return obstacles(LlmService(serve(answer)[1], "ns", "s", Place("ns", "gw")))


def _list(*items: Object) -> tuple[int, Any]:
    return 200, {"metadata": {"resourceVersion": "1"}, "items": list(items)}


def _route(kind: str, name: str) -> tuple[int, Any]:
    rule = {"backendRefs": [{"kind": kind, "name": name}]}
    return 200, {"metadata": {"name": "s-kserve-route"}, "spec": {"rules": [rule, {}]}}


_PICKER = {
    "metadata": {"name": "picker-1"},
    "spec": {"containers": [{"name": "main"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


def test_nothing_in_the_way(serve: Serve) -> None:
    rules = _list(_rule("s-epp-service", tls=_SIMPLE))
    answers = {
        "httproutes": _route("InferencePool", "s-inference-pool"),
        "destinationrules": rules,
        "pods": _list(_PICKER),
    }
    assert _obstacles(serve, answers) == []


def test_cluster_without_istio_has_no_rules(serve: Serve) -> None:
    answers = {"httproutes": _route("InferencePool", "s-inference-pool"), "pods": _list(_PICKER)}
    assert _obstacles(serve, answers) == []


def test_everything_in_the_way(serve: Serve) -> None:
    assert _obstacles(serve, {"httproutes": _route("Service", "x"), "destinationrules": _list(), "pods": _list()}) == [
        "HTTPRoute s-kserve-route leads to Service x rather than to InferencePool s-inference-pool",
        "there is no DestinationRule for s-epp-service in ns: the gateway speaks plaintext to a TLS port",
        "there is no picker pod",
    ]


def test_what_may_not_be_read_is_said_and_the_rest_is_told(serve: Serve) -> None:
    found = _obstacles(serve, {"destinationrules": (403, {"message": "forbidden"}), "pods": _list()})
    assert found[0] == "there is no HTTPRoute s-kserve-route"
    assert found[1].startswith("not looked at, because the API server did not show it: GET ")
    assert found[2] == "there is no picker pod"


def test_plaintext_picker_behind_a_rule_for_tls() -> None:
    (line,) = serving_trouble([_rule("epp", tls=_SIMPLE)], "epp", "ns", tls=False)
    assert "serves plaintext (--secure-serving=false)" in line
    assert serving_trouble([], "epp", "ns", tls=False) == []
    assert serving_trouble([_rule("epp", tls=_SIMPLE)], "epp", "ns", tls=True) == []


@pytest.mark.parametrize(
    ("tls", "certified", "words"),
    [
        (_SIMPLE, False, ""),
        ({"mode": "SIMPLE"}, False, "of its own making"),
        ({"mode": "SIMPLE", "caCertificates": "/etc/ca.pem"}, False, "of its own making"),
        ({"mode": "SIMPLE", "caCertificates": "/etc/ca.pem"}, True, ""),
        ({"mode": "SIMPLE"}, True, "no caCertificates"),
        (_MUTUAL, False, ""),
    ],
)
def test_verification_that_cannot_succeed(tls: Object, certified: bool, words: str) -> None:
    found = verifying_trouble([_rule("epp", tls=tls)], "epp", "ns", certified=certified)
    assert len(found) == bool(words)
    assert all(words in line for line in found)
