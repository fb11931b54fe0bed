"""Bad requests are refused in the API's own form, and nobody else suffers from them."""

import pytest

from suites.server import inside
from tools.cases.capabilities import FORWARD
from tools.explain import bullets, check
from tools.faults import http, workload
from tools.faults import server as faults
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.expect import expect_status, violation
from tools.openai.fingerprint import PICKER, SERVER, identify
from tools.openai.refusals import bad_requests, error_of, trouble
from tools.waiting.timeouts import seconds


@pytest.mark.conformance(
    name="server-refuses-bad-requests",
    level="core",
    requires=[FORWARD],
    fault=[
        faults.engine_fails.shows("after a body that is no JSON", "a completion is 500"),
        faults.engine_hangs.shows("a completion"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_refuses_bad_requests(service: LlmService, client: Client) -> None:
    """Each kind of bad request is refused with its status and an error object, and the server is well after each."""
    pod = service.servers()[0]
    wrong = []
    for bad in bad_requests(client.model):
        reply = inside.send(service, pod, bad.path, bad.body, bad.headers)
        if line := trouble(bad, reply.status, reply.body):
            wrong.append(f"{bad.what}: {line}")
        if line := _unwell(service, pod, client.model):
            wrong.append(f"after {bad.what}: {line}")
            break  # what is broken now says nothing of the next
    check(
        not wrong,
        "every bad request to be refused by an error object of its status, and answers as before after it",
        bullets(wrong),
        cause="the server's API is of another version or kind than OpenAI's, or a bad request has broken the engine",
        next_step=service.kubectl("logs", pod["metadata"]["name"], "-c", "main", "--tail=50"),
    )


@pytest.mark.conformance(
    name="server-errors-come-through",
    level="core",
    fault=[
        http.errors_disguised.shows("HTTP 500", "no JSON"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_errors_come_through(client: Client) -> None:
    """Through the gateway a bad request is refused with the same status, by the server's error object or the picker."""
    for bad in bad_requests(client.model):
        reply = client.send_text(bad.path, bad.body, bad.headers)
        by = identify(reply).who
        # The picker reads bodies, and refuses what is no request for a model by itself, in plain words.
        if by == PICKER and reply.status == 400:
            continue
        if line := trouble(bad, reply.status, reply.body):
            raise violation(reply, f"{bad.what} to be refused: {' or '.join(map(str, bad.statuses))}", line)


@pytest.mark.conformance(
    name="server-names-its-limit",
    level="core",
    fault=[
        http.errors_disguised.shows("HTTP 500"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_names_its_limit(client: Client) -> None:
    """A prompt beyond the model's context is the server's 400, which names the limit that /v1/models has."""
    listed = client.models()
    expect_status(listed, 200, "the list of models", by=SERVER)
    cards = [each for each in (listed.json or {}).get("data", []) if each.get("id") == client.model]
    limit = cards[0].get("max_model_len") if cards else None
    if not isinstance(limit, int):
        raise violation(listed, f"max_model_len of {client.model} in /v1/models", f"it is {limit!r}")
    # Each word is a token at least.
    reply = client.complete("word " * (limit + 1), max_tokens=1)
    expect_status(reply, 400, f"a prompt of more than {limit} tokens to be refused", by=SERVER)
    message = str((error_of(reply.body) or {}).get("message", ""))
    if str(limit) not in message:
        raise violation(reply, f"an error that names the limit, {limit} tokens", f"its message is {message[:200]!r}")


def _unwell(service: LlmService, pod: Object, model: str) -> str:
    """What is not well about a server; empty if it answers."""
    try:
        health = inside.get(service, pod, "/health")
        if health.status != 200:
            return f"/health is {health.status}: {health.body[:120]!r}"
        reply = inside.complete(service, pod, model, within=seconds("first-token"))
    except KubeError as error:
        return f"/health or a completion: {error.message}"
    return "" if reply.status == 200 else f"a completion is {reply.status}: {reply.body[:120]!r}"
