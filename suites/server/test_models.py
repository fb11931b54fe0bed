"""The model under its name, and no other."""

import pytest

from tools.faults import workload
from tools.openai.client import Client
from tools.openai.expect import expect_status, violation
from tools.openai.fingerprint import SERVER


@pytest.mark.conformance(
    name="server-lists-the-model",
    level="core",
    fault=workload.servers_stopped.shows("HTTP 503", "no healthy upstream"),
    checks=["gateway"],
)
def test_lists_the_model(client: Client) -> None:
    """/v1/models through the gateway lists the model under the name that requests use."""
    reply = client.models()
    expect_status(reply, 200, "the list of models", by=SERVER)
    names = [each.get("id") for each in (reply.json or {}).get("data", [])]
    if client.model not in names:
        raise violation(reply, f"{client.model} among the models", f"the models are {names}")


@pytest.mark.conformance(
    name="server-refuses-unknown-models",
    level="core",
    fault=workload.servers_stopped.shows("HTTP 503"),
    checks=["gateway"],
)
def test_unknown_model_is_refused_by_the_server(client: Client) -> None:
    """A request for a model that is not served is the server's 404, in the API's own form."""
    reply = client.complete(model="no/such-model")
    expect_status(reply, 404, "a model that is not served", by=SERVER)
    error = (reply.json or {}).get("error", {})
    if error.get("type") != "NotFoundError" or "no/such-model" not in error.get("message", ""):
        raise violation(reply, "an error of type NotFoundError that names the model", f"the error is {error}")
