"""Which requests reach the service, and which must not."""

from urllib.parse import urlsplit

import pytest

from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.openai.expect import expect_status
from tools.openai.fingerprint import GATEWAY

MODEL_HEADER = "X-Gateway-Model-Name"


@pytest.fixture
def at_root(client: Client, url: str) -> Client:
    """The same client at the Gateway's root."""
    parts = urlsplit(url)
    client.base_url = f"{parts.scheme}://{parts.netloc}"
    return client


def test_unknown_path_is_answered_by_the_gateway(at_root: Client) -> None:
    """A path that no route has is the gateway's own 404: nothing behind it is reached by chance."""
    expect_status(at_root.get("/no/such/service/v1/models"), 404, "a path without a route", by=GATEWAY)


def test_longer_name_is_not_the_service(service: LlmService, at_root: Client) -> None:
    """A path that only begins like the service's name is not the service: prefixes match whole segments."""
    path = f"/{service.namespace}/{service.name}-canary/v1/models"
    expect_status(at_root.get(path), 404, f"{path}, which no route has", by=GATEWAY)


def test_model_header_reaches_the_service(service: LlmService, at_root: Client) -> None:
    """A request at the Gateway's root that names the model in a header is answered by the service (KServe >= 0.19)."""
    header = {MODEL_HEADER: f"publishers/{service.namespace}/models/{at_root.model}"}
    expect_completion(at_root.complete(headers=header), at_root.model)
