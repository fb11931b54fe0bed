"""Completions and chat, whole and streamed, answered by a server of this service."""

import pytest

from tools.cases.capabilities import EXCLUSIVE, FORWARD
from tools.explain import check
from tools.faults import pool as pool_faults
from tools.faults import routing, server, workload
from tools.kube import localise
from tools.kube.llm_service import LlmService
from tools.metrics import counting
from tools.openai.client import Client
from tools.openai.content import expect_chat, expect_completion, expect_stream
from tools.openai.reply import Reply

# Sent by the simulator; a real server has no such header, and is known by its counter alone.
POD_HEADER = "x-inference-pod"


@pytest.mark.conformance(
    name="server-completes",
    level="core",
    requires=[EXCLUSIVE, FORWARD],
    fault=[
        pool_faults.pool_of_another_port.shows(
            "HTTP 503", "did not take the connection", "the pool's does not", "curl"
        ),
        workload.used_by_somebody_else.shows("exactly one pod"),
    ],
    checks=["gateway"],
)
def test_completion(service: LlmService, client: Client) -> None:
    """A completion through the gateway is answered in full by one of the service's pods."""
    before = counting.finished_by_pod(service)
    reply = client.complete()
    with localise.explaining(service, client):
        expect_completion(reply, client.model)
    _expect_one_pod(service, reply, counting.moved(before, counting.finished_by_pod(service)))


@pytest.mark.conformance(
    name="server-chats",
    level="core",
    requires=[EXCLUSIVE, FORWARD],
    fault=[
        routing.route_deleted.shows("HTTP 404", "no route matches", "curl"),
        server.errors_inside.shows("an error inside a 200", "EngineCore"),
        server.another_model_answers.shows("model is 'simulator/other-model'"),
    ],
    checks=["gateway"],
)
def test_chat_completion(service: LlmService, client: Client) -> None:
    """A chat completion through the gateway is answered in full by one of the service's pods."""
    before = counting.finished_by_pod(service)
    reply = client.chat()
    expect_chat(reply, client.model)
    _expect_one_pod(service, reply, counting.moved(before, counting.finished_by_pod(service)))


@pytest.mark.conformance(
    name="server-streams",
    level="core",
    fault=[
        pool_faults.pool_of_another_port.shows("HTTP 503", "did not take the connection"),
        server.end_mark_missing.shows("it was cut by", "[DONE]"),
        server.errors_inside.shows("an error inside a 200", "EngineCore"),
    ],
    checks=["gateway"],
)
def test_streamed_chat(client: Client) -> None:
    """A streamed chat completion comes as events, with one finish reason and usage, and ends with [DONE]."""
    reply = client.chat(stream=True, stream_options={"include_usage": True}, max_tokens=16)
    stream = expect_stream(reply)
    usage = stream.usage or {}
    check(
        0 < usage["completion_tokens"] <= 16,
        "no more tokens than max_tokens, 16",
        f"usage says {usage}, the text is {stream.text!r}",
        next_step=reply.request.curl,
    )


def _expect_one_pod(service: LlmService, reply: Reply, finished: dict[str, float]) -> None:
    __tracebackhide__ = True
    answered = [pod for pod, count in finished.items() if count]
    told = reply.headers.get(POD_HEADER, "")
    check(
        sum(finished.values()) == 1 and told in ("", *answered),
        "exactly one pod of the service to have answered, once",
        f"counters of finished requests moved by {finished}, header {POD_HEADER} says {told or 'nothing'}",
        cause="the answer came from a pod of another service, or somebody else uses the service",
        next_step=service.kubectl("get", "pods", "-o", "wide"),
    )
