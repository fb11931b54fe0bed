"""Streams, chunk by chunk."""

from typing import Any

import pytest

from tools.explain import bullets
from tools.faults import fields
from tools.faults import server as faults
from tools.openai import chunks
from tools.openai.client import Client
from tools.openai.content import expect_stream
from tools.openai.expect import violation

_TOKENS = 16


@pytest.mark.conformance(
    name="server-stream-chunks-are-whole",
    level="core",
    fault=[
        faults.another_model_answers.shows("chunk 0: model is 'simulator/other-model'", "and"),
        faults.end_mark_missing.shows("does not end with data: [DONE]"),
        faults.streams_end_early.shows("was cut in the middle"),
        fields.fields_lost.shows("usage is None"),
    ],
    checks=["gateway"],
)
def test_chunks_are_whole(client: Client) -> None:
    """Every chunk of a stream has its form: one id and model, a role first, one end, usage last and by itself."""
    options: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": _TOKENS}
    for chat, reply in ((True, client.chat(**options)), (False, client.complete(**options))):
        stream = expect_stream(reply)
        if wrong := chunks.trouble(stream, client.model, chat=chat):
            kind = "chat" if chat else "completion"
            raise violation(reply, f"a streamed {kind} of which every chunk is as the API has it", bullets(wrong))
