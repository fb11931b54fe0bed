"""The model by its name: in the body, and in the header that routes by it."""

from collections.abc import Mapping
from functools import partial

import pytest

from tools.cases.capabilities import CONTROLLERS
from tools.explain import check
from tools.faults import foreign, gateway_filters, route_status, routes, routing, workload
from tools.kube.llm_service import LlmService, source
from tools.openai.client import Client
from tools.openai.content import expect_chat, expect_completion
from tools.openai.expect import expect_status
from tools.openai.fingerprint import GATEWAY, SERVER
from tools.openai.reply import Reply
from tools.route.answers import Right, Row, expect_rows
from tools.route.expected import MODEL_HEADER
from tools.route.reading import installed, routed

_REFUSED = (Right(GATEWAY, (404,)),)
_SERVED = (Right(SERVER, (200,)),)


@pytest.mark.conformance(
    name="route-model-header-is-followed",
    level="extended",
    requires=[CONTROLLERS],
    fault=[
        routing.route_deleted.shows("HTTP 404", "no route matches"),
        routes.header_rules_removed.shows("/v1/completions with the header", "no route matches"),
        foreign.model_name_taken.shows("/v1/completions with the header"),
        routing.every_path_routed.shows("another model's header"),
    ],
    checks=["gateway"],
)
def test_model_header_is_followed(service: LlmService, root_client: Client) -> None:
    """At the Gateway's root the header that names the model leads to the service, and any other value to nobody.

    KServe has it from 0.19 on, unless its configuration or the Gateway's annotation turns it off: then the header leads
    nowhere. Nothing on the way sets it: it is the client, or a filter of one's own, that reads the model out of bodies.
    """
    found, there = service.read(), installed(service)
    header = there.header
    mine = routed(found, service, header)
    right = {header or MODEL_HEADER: mine.publisher}
    wrong = {header or MODEL_HEADER: f"publishers/{service.namespace}/models/no-such-model"}
    led = _SERVED if header else _REFUSED
    rows = [
        *_rows(root_client, right, led, "the header"),
        *_rows(root_client, wrong, _REFUSED, "another model's header"),
        Row("the service's own path without the header", partial(_own, service, root_client), _SERVED),
    ]
    told = (
        f"{header} to lead to the service" if header else "routing by model to be off, and the header to lead nowhere"
    )
    expect_rows(rows, f"{told} (KServe {there.version or 'of an unknown version'}), and other names to nobody")


@pytest.mark.conformance(
    name="route-serves-the-named-model",
    level="core",
    fault=[
        route_status.model_renamed.shows("another/name", "--served-model-name"),
        workload.servers_stopped.shows("HTTP 503"),
        gateway_filters.aborted.shows("fault filter abort", "the route's backend is unresolved"),
    ],
    checks=["gateway"],
)
def test_serves_the_named_model(service: LlmService, client: Client) -> None:
    """The model that the service names is served under this very name: listed, and answering by it."""
    found = service.read()
    name = routed(found, service, "").model
    models = client.models()
    expect_status(models, 200, "the list of models", by=SERVER)
    listed = [each.get("id") for each in (models.json or {}).get("data", [])]
    check(
        name in listed,
        f"{name}, spec.model.name in {source(found)}, among the models of the servers",
        f"they serve {listed}",
        cause="--served-model-name is not what the service says: arguments or a command of one's own, or servers that"
        " were not made anew since the name was changed; requests by the service's name are 404",
        next_step=models.request.curl,
    )
    expect_completion(client.complete(model=name), name)
    expect_chat(client.chat(model=name), name)


def _rows(client: Client, header: Mapping[str, str], right: tuple[Right, ...], what: str) -> list[Row]:
    return [
        Row(f"POST /v1/completions with {what}", partial(client.complete, headers=header), right),
        Row(f"GET /v1/models with {what}", partial(client.get, "/v1/models", header), right),
    ]


def _own(service: LlmService, root_client: Client) -> Reply:
    return root_client.get(f"/{service.namespace}/{service.name}/v1/models")
