"""The way of a request from the gateway through the picker to a server, and of a stream back."""

from typing import Any

import pytest

from tools.cases.capabilities import FORWARD
from tools.explain import bullets, check
from tools.faults import picker as faults
from tools.faults import pool as pool_faults
from tools.faults import routing, streams, workload
from tools.kube import localise
from tools.kube.kinds import DESTINATION_RULE, POOL
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.content import expect_completion, expect_stream
from tools.openai.expect import violation


@pytest.mark.conformance(
    name="picker-path-is-whole",
    level="core",
    requires=[FORWARD],
    fault=[
        routing.destination_rule_removed.shows("between gateway and picker", "there is no DestinationRule"),
        faults.picker_plaintext.shows("between gateway and picker", "serves plaintext"),
        pool_faults.pool_of_another_port.shows("the pool's does not"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["picker"],
)
def test_path_is_whole(service: LlmService, client: Client) -> None:
    """A server inside its pod, the Service's rule and the pool's rule all answer; the first that does not is broken."""
    found = localise.probe(service, client)
    check(
        found.whole,
        "answers from every server inside its pod, by the route's rule to the Service, and by its rule to the pool",
        bullets(found.told),
        cause=localise.cause(service, found),
        next_step=service.kubectl("get", f"{POOL.resource},{DESTINATION_RULE.resource},pods", "-o", "wide"),
        details="\n".join(f"request:        {each.request.curl}" for each in found.by_pool[:1]),
    )


@pytest.mark.conformance(
    name="picker-streams-whole",
    level="core",
    fault=[
        streams.streams_cut.shows("after HTTP 200", "cut in the middle"),
        streams.streams_relabelled.shows("content-type is text/plain"),
    ],
    checks=["picker"],
)
def test_streams_whole(client: Client) -> None:
    """A stream through the picker is whole: events of one answer, [DONE] at the end, the text as when not streamed."""
    asked: dict[str, Any] = {"prompt": "Tell of the sea", "max_tokens": 64, "temperature": 0, "seed": 1}
    reply = client.complete(**asked, stream=True, stream_options={"include_usage": True})
    stream = expect_stream(reply)
    whole = client.complete(**asked)
    expect_completion(whole, client.model)
    ids, models = ({chunk.get(key) for chunk in stream.chunks} for key in ("id", "model"))
    chunks = [chunk for chunk in stream.chunks if chunk.get("choices")]
    text = whole.json["choices"][0]["text"]
    wrong = [] if len(ids) == 1 else [f"ids are {sorted(map(str, ids))}"]
    wrong += [] if models == {client.model} else [f"models are {sorted(map(str, models))}"]
    wrong += [] if len(chunks) > 1 else [f"it came in {len(chunks)} chunk"]
    wrong += [] if stream.text == text else [f"its text {stream.text!r} is not that of the whole answer, {text!r}"]
    if wrong:
        raise violation(
            reply, "a stream of one answer, chunk by chunk, as it is when asked for whole", "; ".join(wrong)
        )
