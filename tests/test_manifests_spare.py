"""The Gateway beside the service's: what belongs together does."""

from typing import Any

import pytest

from tools.manifests import spare

WANTED = spare.Spare("n", {"run": "7"}, "istio", 2)


def by_kind(documents: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


def test_all_is_in_the_namespace_and_carries_the_labels() -> None:
    found = [*spare.documents(WANTED), *spare.token_demanded(WANTED, "https://a", "{}", "/guarded")]
    assert {each["metadata"]["namespace"] for each in found} == {"n"}
    assert {each["metadata"]["labels"]["run"] for each in found} == {"7"}


@pytest.mark.parametrize(("replicas", "covered"), [(1, False), (2, True)])
def test_proxies_are_asked_for(replicas: int, covered: bool) -> None:
    found = by_kind(spare.documents(spare.Spare("n", {}, "istio", replicas)))
    gateway = found["Gateway", spare.NAME]["spec"]
    parameters = found["ConfigMap", gateway["infrastructure"]["parametersRef"]["name"]]["data"]
    assert f"replicas: {replicas}" in parameters["deployment"]
    assert ("podDisruptionBudget" in parameters) is covered


def test_plain_http_is_redirected_and_tls_is_served() -> None:
    found = by_kind(spare.documents(WANTED))
    parents = {
        name: each["spec"]["parentRefs"][0]["sectionName"]
        for (kind, name), each in found.items()
        if kind == "HTTPRoute"
    }
    assert parents == {spare.REDIRECT: "http", "spare": "https"}
    backend = found["HTTPRoute", "spare"]["spec"]["rules"][0]["backendRefs"][0]
    assert ("Service", backend["name"]) in found
    assert found["Service", backend["name"]]["spec"]["ports"][0]["port"] == backend["port"]


def test_a_token_is_demanded_of_its_issuer_for_a_path() -> None:
    authentication, policy = spare.token_demanded(WANTED, "https://a", "{}", "/guarded")
    assert authentication["spec"]["jwtRules"] == [{"issuer": "https://a", "jwks": "{}"}]
    rule = policy["spec"]["rules"][0]
    assert policy["spec"]["action"] == "DENY"
    assert rule["from"] == [{"source": {"notRequestPrincipals": ["https://a/*"]}}]
    assert rule["to"] == [{"operation": {"paths": ["/guarded*"]}}]
