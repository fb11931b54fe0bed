"""Who may ask, by CUSTOM, DENY and ALLOW, and which policy is named for it."""

from typing import Any

import pytest

from tools.mesh.allowance import allowance
from tools.mesh.authorization import Ruling, ruled, selecting, vain
from tools.mesh.rules import Asking, Fit, fits

Object = dict[str, Any]
ROOT, NS = "istio-system", "llm"
POD: Object = {"metadata": {"name": "server", "namespace": NS, "labels": {"app": "llm", "role": "workload"}}}
OWN: Object = {"matchLabels": {"app": "llm"}}
GATEWAY = Asking("the gateway", NS, "gateway-istio", 8000)
STRANGER = Asking("a stranger", "elsewhere", "default", 8000)
OUTSIDER = Asking("a client outside the mesh", "", "", 8000)
FROM_GATEWAY: Object = {"from": [{"source": {"principals": ["cluster.local/ns/llm/sa/gateway-istio"]}}]}


def policy(name: str, action: str = "", namespace: str = NS, **spec: Any) -> Object:
    """An AuthorizationPolicy."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": ({"action": action} if action else {}) | spec,
    }


ONLY_GATEWAY = policy("only-gateway", rules=[FROM_GATEWAY])
NOBODY = policy("nobody")


@pytest.mark.parametrize(
    ("policies", "asking", "ruling", "words"),
    [
        ([], OUTSIDER, Ruling.ALLOWED, "no AuthorizationPolicy selects"),
        ([ONLY_GATEWAY], GATEWAY, Ruling.ALLOWED, "llm/only-gateway allows"),
        ([ONLY_GATEWAY], STRANGER, Ruling.DENIED, "no rule of AuthorizationPolicy llm/only-gateway"),
        ([ONLY_GATEWAY], OUTSIDER, Ruling.DENIED, "no identity in the mesh"),
        # An ALLOW without rules lets nobody; beside another one it changes nothing.
        ([NOBODY], GATEWAY, Ruling.DENIED, "without rules AuthorizationPolicy llm/nobody allows nobody"),
        ([NOBODY, ONLY_GATEWAY], GATEWAY, Ruling.ALLOWED, "llm/only-gateway"),
        ([policy("all", rules=[{}])], OUTSIDER, Ruling.ALLOWED, "llm/all"),
        # A DENY goes before every ALLOW, and without rules refuses nobody.
        ([ONLY_GATEWAY, policy("no", "DENY", rules=[{}])], GATEWAY, Ruling.DENIED, "llm/no denies"),
        ([policy("no", "DENY")], STRANGER, Ruling.ALLOWED, "no AuthorizationPolicy"),
        ([policy("mesh", "DENY", ROOT, rules=[{}])], GATEWAY, Ruling.DENIED, "istio-system/mesh"),
        # Unlike a PeerAuthentication of the root namespace: its selector is for all namespaces.
        ([policy("mesh", "DENY", ROOT, rules=[{}], selector=OWN)], GATEWAY, Ruling.DENIED, "istio-system/mesh"),
        ([policy("other", "DENY", "default", rules=[{}])], GATEWAY, Ruling.ALLOWED, "no AuthorizationPolicy"),
        ([policy("other", "DENY", rules=[{}], selector={"matchLabels": {"app": "x"}})], GATEWAY, Ruling.ALLOWED, "no"),
        ([policy("way", "DENY", rules=[{}], targetRefs=[{"kind": "Gateway"}])], GATEWAY, Ruling.ALLOWED, "no"),
        ([policy("ask", "CUSTOM", rules=[{}]), ONLY_GATEWAY], GATEWAY, Ruling.UNTOLD, "llm/ask names decides"),
        ([policy("log", "AUDIT", rules=[{}])], STRANGER, Ruling.ALLOWED, "no AuthorizationPolicy"),
        (
            [policy("when", "DENY", rules=[{"when": [{"key": "request.headers[x]"}]}])],
            GATEWAY,
            Ruling.UNTOLD,
            "llm/when",
        ),
        ([policy("when", rules=[{"when": [{"key": "source.ip"}]}])], GATEWAY, Ruling.UNTOLD, "llm/when allows"),
    ],
)
def test_actions_have_an_order(policies: list[Object], asking: Asking, ruling: Ruling, words: str) -> None:
    found = ruled(policies, POD, asking, ROOT)
    assert found.ruling is ruling
    assert words in str(found)


def test_a_dry_run_refuses_nobody() -> None:
    dry = policy("dry", "DENY", rules=[{}])
    dry["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
    assert ruled([dry], POD, STRANGER, ROOT).ruling is Ruling.ALLOWED


@pytest.mark.parametrize(
    ("rule", "asking", "fit"),
    [
        ({}, OUTSIDER, Fit.YES),
        ({"from": [{"source": {"namespaces": ["llm"]}}]}, GATEWAY, Fit.YES),
        ({"from": [{"source": {"namespaces": ["llm"]}}]}, OUTSIDER, Fit.NO),
        ({"from": [{"source": {"namespaces": ["other", "llm*"]}}]}, GATEWAY, Fit.YES),
        ({"from": [{"source": {"principals": ["*"]}}]}, GATEWAY, Fit.YES),
        ({"from": [{"source": {"principals": ["*"]}}]}, OUTSIDER, Fit.NO),
        ({"from": [{"source": {"principals": ["*/ns/llm/sa/gateway-istio"]}}]}, GATEWAY, Fit.YES),
        ({"from": [{"source": {"principals": ["spiffe://cluster.local/ns/llm/sa/gateway-istio"]}}]}, GATEWAY, Fit.NO),
        # The policy's own namespace is meant.
        ({"from": [{"source": {"serviceAccounts": ["gateway-istio"]}}]}, GATEWAY, Fit.YES),
        ({"from": [{"source": {"serviceAccounts": ["default"]}}]}, STRANGER, Fit.NO),
        ({"from": [{"source": {"serviceAccounts": ["elsewhere/default"]}}]}, STRANGER, Fit.YES),
        ({"from": [{"source": {"notNamespaces": ["llm"]}}]}, STRANGER, Fit.YES),
        ({"from": [{"source": {"notNamespaces": ["llm"]}}]}, GATEWAY, Fit.NO),
        ({"from": [{"source": {"namespaces": ["llm"], "ipBlocks": ["10.0.0.0/8"]}}]}, GATEWAY, Fit.UNTOLD),
        ({"from": [{"source": {"namespaces": ["x"], "ipBlocks": ["10.0.0.0/8"]}}]}, GATEWAY, Fit.NO),
        ({"to": [{"operation": {"ports": ["8000"]}}]}, GATEWAY, Fit.YES),
        ({"to": [{"operation": {"ports": ["8080"]}}]}, GATEWAY, Fit.NO),
        ({"to": [{"operation": {"paths": ["/v1/*"], "methods": ["POST"]}}]}, GATEWAY, Fit.YES),
        ({"to": [{"operation": {"paths": ["/v1/{*}"]}}]}, GATEWAY, Fit.UNTOLD),
        ({"to": [{"operation": {"methods": ["GET"]}}]}, GATEWAY, Fit.NO),
        ({"to": [{"operation": {"hosts": ["llm"]}}]}, GATEWAY, Fit.UNTOLD),
    ],
)
def test_rules_fit_by_what_they_say(rule: Object, asking: Asking, fit: Fit) -> None:
    assert fits(rule, asking, NS) is fit


def test_what_ships_lets_the_gateway_and_who_is_named() -> None:
    made = allowance("llm", NS, (NS, "gateway-istio"), ["tenants"], {"run": "x"})
    pod: Object = {
        "metadata": {
            "name": "server",
            "namespace": NS,
            "labels": {"kserve.io/component": "workload", "app.kubernetes.io/name": "llm"},
        }
    }
    tenant = Asking("a tenant", "tenants", "any", 8000)
    rulings = {each.who: ruled([made], pod, each, ROOT).ruling for each in (GATEWAY, tenant, STRANGER, OUTSIDER)}
    assert rulings == {
        "the gateway": Ruling.ALLOWED,
        "a tenant": Ruling.ALLOWED,
        "a stranger": Ruling.DENIED,
        "a client outside the mesh": Ruling.DENIED,
    }
    assert selecting([made], POD, ROOT) == []


def test_a_policy_for_a_pod_without_sidecar_is_in_vain() -> None:
    assert vain([policy("own", selector=OWN), policy("wide")], POD, ROOT) == [
        "AuthorizationPolicy llm/own selects server by its labels, which has no sidecar: nobody enforces it there"
    ]
