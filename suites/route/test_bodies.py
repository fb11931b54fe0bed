"""Large requests and long answers go through, whatever is on the way."""

import json

import pytest

from fixtures.measure import Record
from tools.explain import check
from tools.faults import gateway_filters, routes, routing, workload
from tools.openai.client import Client
from tools.openai.content import expect_stream
from tools.openai.expect import violation
from tools.openai.fingerprint import SERVER, identify
from tools.openai.reply import Reply
from tools.waiting import timeouts

_KIB = 1024
# Between each and the next is a limit that somebody has: buffers of Envoy, messages of gRPC, bodies of ext_proc.
_SIZES = (1 * _KIB, 8 * _KIB, 40 * _KIB, 150 * _KIB, 1024 * _KIB, 4096 * _KIB)
_TOO_LONG = ("maximum context length", "maximum model length", "max_model_len", "context length")
_TOKENS = 400


@pytest.mark.conformance(
    name="route-large-bodies-pass",
    level="core",
    fault=[
        gateway_filters.bodies_limited.shows("smallest that fails is 40 KiB", "HTTP 413", "buffer limits"),
        routing.destination_rule_removed.shows("smallest that fails is 1 KiB", "ext_proc"),
    ],
    checks=["gateway"],
)
def test_large_bodies_pass(client: Client) -> None:
    """A prompt of any size up to 4 MiB reaches the server, which alone may refuse it, as longer than its context."""
    replies = {size: client.complete(_prompt(client, size), max_tokens=1) for size in _SIZES}
    bad = [size for size, reply in replies.items() if not _by_the_server(reply)]
    answers = ", ".join(
        f"{size // _KIB} KiB: {reply.status or reply.verdict} from {identify(reply).who}"
        for size, reply in replies.items()
    )
    if bad:
        first = replies[bad[0]]
        raise violation(
            first,
            "for every size of body a completion, or the server's own 400 about the context length",
            f"the smallest that fails is {bad[0] // _KIB} KiB ({answers})",
        )


@pytest.mark.conformance(
    name="route-long-streams-are-whole",
    level="core",
    fault=[
        routes.times_out.shows("was cut", "timeouts"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_long_streams_are_whole(client: Client, record: Record) -> None:
    """A stream of some hundred tokens, of seconds or minutes, comes whole: nothing on the way has a timeout for it."""
    reply = client.chat(
        "Tell a long story.",
        max_tokens=_TOKENS,
        stream=True,
        stream_options={"include_usage": True},
        ignore_eos=True,
    )
    if reply.status != 200:
        seen = "was cut by a time-out of the route: spec.rules[].timeouts" if "after HTTP 200" in reply.problem else ""
        raise violation(reply, f"a whole stream of {_TOKENS} tokens", f"it {seen}" if seen else "")
    stream = expect_stream(reply)
    record("time of a stream of 400 tokens", reply.seconds, timeouts.seconds("request-whole"))
    got = (stream.usage or {}).get("completion_tokens", 0)
    check(
        got == _TOKENS,
        f"a stream of {_TOKENS} tokens, as was asked for",
        f"it has {got}, finish reasons {stream.finish_reasons}, after {reply.seconds:.1f} s",
        cause="the server ends early: its context is shorter than that, or it does not know ignore_eos",
        next_step=reply.request.curl,
    )


def _prompt(client: Client, size: int) -> str:
    """A prompt with which the whole body has this size."""
    rest = len(json.dumps({"model": client.model, "prompt": "", "max_tokens": 1}))
    words = "The gate opens. " * (size // 16 + 1)
    return words[: max(1, size - rest)]


def _by_the_server(reply: Reply) -> bool:
    if identify(reply).who != SERVER:
        return False
    return reply.status == 200 or (reply.status == 400 and any(each in reply.body for each in _TOO_LONG))
