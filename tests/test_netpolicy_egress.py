"""NetworkPolicies and an address outside of the cluster: only ipBlocks and rules without peers let it through."""

from ipaddress import IPv4Address
from typing import Any

import pytest

from tools.netpolicy.egress import egress

OUTSIDE = IPv4Address("203.0.113.1")
POD = {"metadata": {"name": "s", "namespace": "n", "labels": {"app": "llm", "kserve.io/component": "workload"}}}
PUBLIC = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "192.168.0.0/16"]}}
PODS: dict[str, Any] = {"namespaceSelector": {}}


def policy(rules: list[dict[str, Any]], **spec: Any) -> dict[str, Any]:
    wanted = {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules} | spec
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": wanted}


def rule(*peers: dict[str, Any], port: Any = 443, **more: Any) -> dict[str, Any]:
    return {"to": list(peers), "ports": [{"protocol": "TCP", "port": port} | more]}


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        ([], True),
        ([policy([])], False),
        ([policy([{}])], True),
        ([policy([rule(PODS)])], False),
        ([policy([rule(PUBLIC)])], True),
        ([policy([rule({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}})])], False),
        ([policy([rule({"ipBlock": {"cidr": "::/0"}})])], False),
        ([policy([rule(PUBLIC, port=80)])], False),
        ([policy([rule(PUBLIC, port=400, endPort=500)])], True),
        ([policy([rule(PUBLIC, port="https")])], False),
        ([policy([{"to": [PUBLIC]}])], True),
        ([policy([]), policy([rule(PUBLIC)])], True),
        ([policy([], podSelector={"matchLabels": {"app": "other"}})], True),
        ([policy([], podSelector={"matchExpressions": [{"key": "app", "operator": "In", "values": ["llm"]}]})], False),
        ([policy([], podSelector={"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]})], True),
        ([policy([], policyTypes=["Ingress"])], True),
    ],
)
def test_what_reaches_outside(found: list[dict[str, Any]], allowed: bool) -> None:
    assert egress(found, POD, OUTSIDE, 443).allowed is allowed


def test_the_usual_mistake_is_named() -> None:
    (why,) = egress([policy([rule(PODS)])], POD, OUTSIDE, 443).why
    assert "never an outside address" in why


@pytest.mark.parametrize(
    ("rules", "dns"),
    [([rule(PUBLIC)], False), ([{"to": [PODS], "ports": [{"protocol": "UDP", "port": 53}]}], True), ([{}], True)],
)
def test_whether_names_can_be_asked_for(rules: list[dict[str, Any]], dns: bool) -> None:
    assert egress([policy(rules)], POD, OUTSIDE, 443).dns is dns
