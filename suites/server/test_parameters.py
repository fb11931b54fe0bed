"""Parameters of a request are heeded, wherever they might be lost."""

from typing import Any

import pytest

from tools.explain import bullets, check
from tools.faults import fields, workload
from tools.faults import server as faults
from tools.openai.client import Client
from tools.openai.content import expect_chat, expect_completion, expect_stream
from tools.openai.expect import violation
from tools.openai.reply import Reply

_PROMPT = "Tell of the sea and of the ships on it."
_TOKENS = 24
_LOST = "the server does not know the field, or a gateway passes on only those that it knows"


@pytest.mark.conformance(
    name="server-heeds-stop",
    level="core",
    fault=[
        fields.fields_lost.shows("stop", "goes on"),
        faults.tokens_garbled.shows("one word to stop at"),
    ],
    checks=["gateway"],
)
def test_heeds_stop(client: Client) -> None:
    """An answer ends before the text that the request gives as its stop, and says that it stopped."""
    asked: dict[str, Any] = {"max_tokens": _TOKENS, "temperature": 0, "seed": 3, "ignore_eos": True}
    whole = client.complete(_PROMPT, **asked)
    expect_completion(whole, client.model)
    words = whole.json["choices"][0]["text"].split()
    # Not among the first: the answer would be empty.
    later = [each for each in words[3:] if each not in words[:3] and each.isalpha()]
    if not later:
        raise violation(whole, "an answer of several words, with one word to stop at", f"the text has {words}")
    reply = client.complete(_PROMPT, **asked, stop=[later[0]])
    expect_completion(reply, client.model)
    choice, used = reply.json["choices"][0], reply.json["usage"]["completion_tokens"]
    wrong = [f"the text goes on: {choice['text']!r}"] if later[0] in choice["text"] else []
    wrong += [] if choice["finish_reason"] == "stop" else [f"finish_reason is {choice['finish_reason']!r}"]
    wrong += [] if used < _TOKENS else [f"{used} tokens were generated, as without stop"]
    _expect(reply, wrong, f"an answer that ends before {later[0]!r}")


@pytest.mark.conformance(
    name="server-gives-n-answers",
    level="core",
    fault=fields.fields_lost.shows("1 choices", "3"),
    checks=["gateway"],
)
def test_gives_n_answers(client: Client) -> None:
    """A request for several answers gets as many, numbered, and usage that counts the prompt once and all of them."""
    one = client.complete(_PROMPT, max_tokens=4, ignore_eos=True)
    expect_completion(one, client.model)
    reply = client.complete(_PROMPT, max_tokens=4, n=3, ignore_eos=True)
    expect_completion(reply, client.model)
    choices, usage = reply.json["choices"], reply.json["usage"]
    numbers = sorted(each["index"] for each in choices)
    wrong = [] if len(choices) == 3 else [f"there are {len(choices)} choices"]
    wrong += [] if numbers == [0, 1, 2] else [f"their indices are {numbers}"]
    wrong += [] if usage["completion_tokens"] == 12 else [f"usage has {usage['completion_tokens']} generated tokens"]
    prompt = one.json["usage"]["prompt_tokens"]
    wrong += [] if usage["prompt_tokens"] == prompt else [f"prompt tokens are {usage['prompt_tokens']}, not {prompt}"]
    _expect(reply, wrong, "3 answers of 4 tokens each, to one prompt")


@pytest.mark.conformance(
    name="server-heeds-seeds",
    level="extended",
    fault=fields.fields_lost.shows("another seed gives the same"),
    checks=["gateway"],
)
def test_heeds_seeds(client: Client) -> None:
    """The same seed gives the same answer again, and another seed another."""
    replies = [client.complete(_PROMPT, max_tokens=_TOKENS, temperature=1, seed=seed) for seed in (11, 11, 12)]
    for each in replies:
        expect_completion(each, client.model)
    first, again, other = [each.json["choices"][0]["text"] for each in replies]
    wrong = [] if first == again else [f"the same seed gives {again!r} after {first!r}"]
    wrong += [] if first != other else [f"another seed gives the same: {first!r}"]
    _expect(replies[-1], wrong, "answers that depend on the seed, and on nothing else")


@pytest.mark.conformance(
    name="server-heeds-limits",
    level="core",
    fault=[
        fields.fields_lost.shows("max_completion_tokens"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_heeds_limits(client: Client) -> None:
    """An answer ends at the limit of tokens that the request sets, says so, and usage has exactly as many."""
    for reply, limit in (
        (client.complete(_PROMPT, max_tokens=7, ignore_eos=True), 7),
        (client.chat(_PROMPT, max_tokens=5, ignore_eos=True), 5),
    ):
        _ended_at(reply, limit, reply.json, "max_tokens")
    # The newer name, without the older one beside it.
    message = {"role": "user", "content": _PROMPT}
    body = {"model": client.model, "messages": [message], "max_completion_tokens": 9, "ignore_eos": True}
    newer = client.post("/v1/chat/completions", body)
    expect_chat(newer, client.model)
    _ended_at(newer, 9, newer.json, "max_completion_tokens")


@pytest.mark.conformance(
    name="server-usage-agrees",
    level="core",
    fault=[
        fields.fields_lost.shows("usage is None"),
        faults.errors_inside.shows("an error inside a 200"),
    ],
    checks=["gateway"],
)
def test_usage_agrees(client: Client) -> None:
    """Usage of an answer is the same whole and streamed, and a longer prompt has more tokens than a shorter."""
    asked: dict[str, Any] = {"max_tokens": 6, "ignore_eos": True}
    short = client.chat(_PROMPT, **asked)
    longer = client.chat(f"{_PROMPT} {_PROMPT}", **asked)
    streamed = client.chat(_PROMPT, **asked, stream=True, stream_options={"include_usage": True})
    for each in (short, longer):
        expect_chat(each, client.model)
    usage, more = short.json["usage"], longer.json["usage"]
    told = expect_stream(streamed).usage or {}
    keys = ("prompt_tokens", "completion_tokens", "total_tokens")
    wrong = [f"{key}: {usage[key]} whole, {told.get(key)} streamed" for key in keys if usage[key] != told.get(key)]
    wrong += (
        []
        if more["prompt_tokens"] > usage["prompt_tokens"]
        else [f"twice the prompt has {more['prompt_tokens']} tokens, once {usage['prompt_tokens']}"]
    )
    _expect(streamed, wrong, "usage that counts the same tokens, however they are sent")


def _ended_at(reply: Reply, limit: int, body: Any, field: str) -> None:
    __tracebackhide__ = True
    if reply.status != 200 or not isinstance(body, dict):
        raise violation(reply, f"an answer of {limit} tokens ({field})")
    choice, used = body["choices"][0], body["usage"]["completion_tokens"]
    wrong = [] if used == limit else [f"{used} tokens for {field} {limit}"]
    wrong += [] if choice["finish_reason"] == "length" else [f"finish_reason is {choice['finish_reason']!r}"]
    _expect(reply, wrong, f"an answer of {limit} tokens, ended by its limit")


def _expect(reply: Reply, wrong: list[str], expected: str) -> None:
    __tracebackhide__ = True
    check(not wrong, expected, bullets(wrong), cause=_LOST, next_step=reply.request.curl)
