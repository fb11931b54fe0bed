"""Who may use the Gateway, and in which form."""

import json
from collections.abc import Iterator

import pytest

from fixtures.beside import Beside
from tools.cases.capabilities import TRAFFIC
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import gateway as faults
from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.conditions import parents
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import AUTHORIZATION_POLICY, GATEWAY, HTTP_ROUTE
from tools.kube.llm_service import LlmService
from tools.openai.access import refused
from tools.openai.client import Client
from tools.openai.expect import expect_status, violation
from tools.openai.fingerprint import GATEWAY as BY_GATEWAY
from tools.openai.plaintext import trouble
from tools.openai.reply import Request
from tools.profile import Profile
from tools.profile.gateway import Auth, RoutesFrom
from tools.waiting.timeouts import seconds

_NOBODYS = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ."


@pytest.mark.conformance(
    name="gateway-plaintext-is-as-promised",
    level="core",
    fault=[
        faults.plaintext_closed.shows("promises open", "it is not served over plain HTTP", "answered by nobody"),
        faults.access_denied.shows("HTTP 403"),
    ],
    checks=["gateway", "no-plaintext"],
)
def test_plaintext(service: LlmService, profile: Profile, client: Client) -> None:
    """Plain HTTP is served, redirected to https or closed, as the profile says: nothing travels in clear unsaid."""
    plain = [each for each in gateways.listeners(service.read_gateway()) if each.protocol == "HTTP"]
    address = next((value for _, value in gateways.addresses(service.read_gateway())), "")
    port = plain[0].port if plain else 80
    named = f"[{address}]" if ":" in address else address
    root = f"http://{named}" + ("" if port == 80 else f":{port}")
    asked = Request(
        "POST",
        f"{root}/{service.namespace}/{service.name}/v1/completions",
        {"Content-Type": "application/json"},
        _body(client),
    )
    reply = client.send(asked)
    promised = profile.gateway.plaintext
    if wrong := trouble(reply, promised):
        raise violation(reply, f"plain HTTP as the profile promises: it promises {promised}", wrong)


@pytest.mark.conformance(
    name="gateway-access-is-as-promised",
    level="core",
    fault=faults.access_denied.shows("HTTP 403", "RBAC", "AuthorizationPolicy"),
    checks=["open-access", "bearer-token"],
)
def test_access(service: LlmService, profile: Profile, client: Client) -> None:
    """Requests without a token, or with nobody's, are refused exactly if the profile promises a demand for one."""
    anonymous = service.connection.anonymous().client(client.base_url, client.user_agent)
    try:
        without, wrong = anonymous.complete(), anonymous.complete(headers={"Authorization": _NOBODYS})
    finally:
        anonymous.close()
    step = service.kubectl("get", AUTHORIZATION_POLICY.resource, "-A", "-o", "yaml")
    if profile.gateway.auth is Auth.NONE:
        expect_status(without, 200, "a request without a token, as the profile demands none", next_step=step)
        return
    for reply, what in ((without, "without a token"), (wrong, "with a token that nobody has given out")):
        if lacking := refused(reply):
            raise violation(reply, f"a request {what} to be refused (401 or 403)", lacking, next_step=step)
    expect_status(client.complete(), 200, "a request with the token of --token-env")


@pytest.mark.conformance(
    name="gateway-takes-no-foreign-route",
    level="core",
    requires=[claimed("own-routes-only"), TRAFFIC],
    fault=faults.routes_from_everywhere.shows("Accepted=True", "allowedRoutes"),
    checks=["own-routes-only"],
)
def test_foreign_route(service: LlmService, profile: Profile, foreign_route: Object, root_client: Client) -> None:
    """A route of a namespace that the Gateway does not allow is not attached, says so, and gets no request."""
    name, namespace = foreign_route["metadata"]["name"], foreign_route["metadata"]["namespace"]
    chosen = Selection(HTTP_ROUTE, namespace, name)
    judged = converge(service.kube, "istiod to judge a foreign route", chosen, _judged, budget=seconds("answers"))
    told = [at["Accepted"] for _, at in parents(judged.objects[0])]
    wrong = [str(each) for each in told if each.status != "False" or each.reason != "NotAllowedByListeners"]
    check(
        not wrong,
        f"a route of namespace {namespace} not to attach to Gateway {service.gateway}, which takes routes of"
        f" {'its own namespace' if profile.gateway.routes_from is RoutesFrom.SAME else 'namespaces that it selects'}",
        bullets(wrong),
        cause="allowedRoutes of a listener says from: All, or selects by a label that anybody can have",
        next_step=service.kube.kubectl(
            "-n", service.gateway.namespace, "get", GATEWAY.resource, service.gateway.name, "-o", "yaml"
        ),
    )
    path = foreign_route["spec"]["rules"][0]["matches"][0]["path"]["value"]
    expect_status(root_client.get(path), 404, f"{path}, which only a foreign route has", by=BY_GATEWAY)


@pytest.fixture
def foreign_route(service: LlmService, beside: Beside) -> Iterator[Object]:
    """A route to the service's Gateway from another namespace, with a path of its own that answers by itself."""
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": f"/foreign/{service.namespace}"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "foreign.example.com"}}],
    }
    reference = {"name": service.gateway.name, "namespace": service.gateway.namespace}
    document = {
        "apiVersion": HTTP_ROUTE.api,
        "kind": HTTP_ROUTE.kind,
        "metadata": {"name": "foreign", "namespace": beside.namespace, "labels": beside.labels},
        "spec": {"parentRefs": [reference], "rules": [rule]},
    }
    service.kube.apply(document)
    yield document
    service.kube.delete(HTTP_ROUTE, "foreign", beside.namespace)


def _judged(found: list[Object]) -> str:
    entries = [at for _, at in parents(found[0]) if "Accepted" in at] if found else []
    return "" if entries else f"status is {found[0].get('status') if found else 'nowhere'}"


def _body(client: Client) -> str:
    return json.dumps({"model": client.model, "prompt": "The gate opens", "max_tokens": 2})
