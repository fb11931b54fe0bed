"""Which requests reach the service, and which must not."""

import pytest

from tools.faults import routing, workload
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.openai.expect import expect_status
from tools.openai.fingerprint import GATEWAY, SERVER

MODEL_HEADER = "X-Gateway-Model-Name"


@pytest.mark.conformance(
    name="route-unknown-path-is-refused",
    level="core",
    fault=[
        routing.every_path_routed.shows("answered by the model server"),
        workload.servers_stopped.shows("as a control", "HTTP 503"),
    ],
    checks=["gateway"],
)
def test_unknown_path_is_answered_by_the_gateway(service: LlmService, root_client: Client) -> None:
    """A path that no route has is the gateway's own 404: nothing behind it is reached by chance."""
    _expect_way_to_service(service, root_client)
    expect_status(root_client.get("/no/such/service/v1/models"), 404, "a path without a route", by=GATEWAY)


@pytest.mark.conformance(
    name="route-longer-name-is-refused",
    level="core",
    fault=routing.every_path_routed.shows("answered by the model server"),
    checks=["gateway"],
)
def test_longer_name_is_not_the_service(service: LlmService, root_client: Client) -> None:
    """A path that only begins like the service's name is not the service: prefixes match whole segments."""
    _expect_way_to_service(service, root_client)
    path = f"/{service.namespace}/{service.name}-canary/v1/models"
    expect_status(root_client.get(path), 404, f"{path}, which no route has", by=GATEWAY)


@pytest.mark.conformance(
    name="route-model-header-is-followed",
    level="extended",
    fault=routing.route_deleted.shows("HTTP 404", "no route matches"),
    checks=["gateway"],
)
def test_model_header_reaches_the_service(service: LlmService, root_client: Client) -> None:
    """A request at the Gateway's root that names the model in a header is answered by the service (KServe >= 0.19)."""
    header = {MODEL_HEADER: f"publishers/{service.namespace}/models/{root_client.model}"}
    expect_completion(root_client.complete(headers=header), root_client.model)


def _expect_way_to_service(service: LlmService, root_client: Client) -> None:
    """The control of a 404: the same client reaches the service by its own path, so the gateway knows its route."""
    __tracebackhide__ = True
    own = root_client.get(f"/{service.namespace}/{service.name}/v1/models")
    expect_status(own, 200, "the service's own path, as a control", by=SERVER)
