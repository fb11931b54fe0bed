"""The simulator's replies over a real socket: bodies, streams, models, headers."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tools.simulator.background import in_background
from tools.simulator.settings import Settings

SERVED = ("qwen", "publishers/ns/models/qwen")
WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}
WITH_EACH_USAGE = {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    settings = Settings(
        served_names=SERVED, model="/mnt/models", host="127.0.0.1", port=0, ttft_ms=2, itl_ms=0.2, pod_name="pod-7"
    )
    with in_background(settings) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def complete(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    reply = client.post("/v1/completions", json={"model": "qwen", "prompt": "Hello world", **fields})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def chat(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Hello world"}]
    reply = client.post("/v1/chat/completions", json={"model": "qwen", "messages": messages, **fields})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def events(client: httpx.Client, path: str, **fields: Any) -> list[dict[str, Any]]:
    """The chunks of a stream, after checking that it is nothing but `data:` events that end with [DONE]."""
    body = {"model": "qwen", **fields}
    body |= {"prompt": "Hello world"} if path == "/v1/completions" else {}
    body |= {"messages": [{"role": "user", "content": "Hello world"}]} if path == "/v1/chat/completions" else {}
    with client.stream("POST", path, json={**body, **fields}) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reply.headers["transfer-encoding"] == "chunked"
        text = reply.read().decode()
    *parts, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    assert all(part.startswith("data: ") and "\n" not in part for part in parts)
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def test_a_completion_has_the_fields_of_vllm(client: httpx.Client) -> None:
    before = int(time.time())
    body = complete(client, max_tokens=5)
    assert body.pop("id").startswith("cmpl-")
    assert before <= body.pop("created") <= time.time()
    text = body["choices"][0].pop("text")
    assert len(text.split()) == 5
    assert body == {
        "object": "text_completion",
        "model": "qwen",
        "choices": [
            {
                "index": 0,
                "logprobs": None,
                "finish_reason": "length",
                "stop_reason": None,
                "token_ids": None,
                "prompt_logprobs": None,
                "prompt_token_ids": None,
            }
        ],
        "service_tier": None,
        "system_fingerprint": None,
        "usage": {"prompt_tokens": 2, "total_tokens": 7, "completion_tokens": 5, "prompt_tokens_details": None},
        "kv_transfer_params": None,
    }


def test_a_chat_completion_has_the_fields_of_vllm(client: httpx.Client) -> None:
    body = chat(client, max_completion_tokens=4)
    assert body["id"].startswith("chatcmpl-")
    assert body["object"] == "chat.completion"
    assert body["system_fingerprint"] is None
    assert body["usage"] == {
        "prompt_tokens": 9,
        "total_tokens": 13,
        "completion_tokens": 4,
        "prompt_tokens_details": None,
    }
    message = body["choices"][0]["message"]
    assert len(message.pop("content").split()) == 4
    assert message == {
        "role": "assistant",
        "refusal": None,
        "annotations": None,
        "audio": None,
        "function_call": None,
        "tool_calls": [],
        "reasoning": None,
    }


def test_defaults_of_max_tokens_differ_by_endpoint(client: httpx.Client) -> None:
    assert complete(client)["usage"]["completion_tokens"] == 16
    body = chat(client)  # as many as fit, so the answer ends by itself
    assert body["choices"][0]["finish_reason"] == "stop"
    assert chat(client, max_tokens=9, max_completion_tokens=3)["usage"]["completion_tokens"] == 3


def test_streamed_completion_chunks_field_by_field(client: httpx.Client) -> None:
    chunks = events(client, "/v1/completions", max_tokens=3, **WITH_USAGE)
    assert len(chunks) == 4
    assert len({(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in chunks}) == 1
    whole = complete(client, max_tokens=3)["choices"][0]["text"]
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks[:3]) == whole
    first, last, usage = chunks[0], chunks[2], chunks[3]
    assert set(first) == {"id", "object", "created", "model", "choices", "usage"}
    assert first["usage"] is None
    assert first["choices"][0] == {
        "index": 0,
        "text": f" {whole.split()[0]}",
        "logprobs": None,
        "finish_reason": None,
        "stop_reason": None,
        "prompt_token_ids": None,
        "token_ids": None,
    }
    assert last["choices"][0]["finish_reason"] == "length"
    assert usage["choices"] == []
    assert usage["usage"] == {"prompt_tokens": 2, "total_tokens": 5, "completion_tokens": 3}


def test_a_chat_stream_begins_with_the_role_and_empty_content(client: httpx.Client) -> None:
    first, *rest = events(client, "/v1/chat/completions", max_tokens=3, stream=True)
    assert first["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]
    assert first["prompt_token_ids"] is None
    assert all(chunk["object"] == "chat.completion.chunk" and "usage" not in chunk for chunk in [first, *rest])
    assert [list(chunk["choices"][0]["delta"]) for chunk in rest] == [["content"]] * 3
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in rest)
    assert text == chat(client, max_tokens=3)["choices"][0]["message"]["content"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in rest] == [None, None, "length"]
    assert rest[-1]["choices"][0]["stop_reason"] is None
    assert "stop_reason" not in rest[0]["choices"][0]


def test_continuous_usage_counts_up_in_every_chunk(client: httpx.Client) -> None:
    chunks = events(client, "/v1/completions", max_tokens=4, **WITH_EACH_USAGE)
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [1, 2, 3, 4, 4]
    assert {chunk["usage"]["prompt_tokens"] for chunk in chunks} == {2}
    assert all(chunk["usage"]["total_tokens"] == 2 + chunk["usage"]["completion_tokens"] for chunk in chunks)
    chunks = events(client, "/v1/chat/completions", max_tokens=2, **WITH_EACH_USAGE)
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks] == [0, 1, 2, 2]


def test_usage_is_absent_from_a_stream_unless_asked_for(client: httpx.Client) -> None:
    assert len(events(client, "/v1/completions", max_tokens=2, stream=True)) == 2
    quiet = {"stream": True, "stream_options": {"include_usage": False, "continuous_usage_stats": True}}
    chunks = events(client, "/v1/completions", max_tokens=2, **quiet)
    assert [chunk["usage"] for chunk in chunks] == [None, None]


def test_every_token_is_an_event_of_its_own(client: httpx.Client) -> None:
    chunks = events(client, "/v1/completions", max_tokens=400, ignore_eos=True, **WITH_EACH_USAGE)
    assert [chunk["usage"]["completion_tokens"] for chunk in chunks[:-1]] == list(range(1, 401))
    assert all(chunk["choices"][0]["text"].strip() for chunk in chunks[:-1])


def test_seed_repeats_and_varies(client: httpx.Client) -> None:
    texts = [complete(client, max_tokens=8, seed=seed)["choices"][0]["text"] for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_n_choices_are_told_apart_and_the_prompt_counts_once(client: httpx.Client) -> None:
    body = complete(client, max_tokens=6, n=2)
    assert [choice["index"] for choice in body["choices"]] == [0, 1]
    assert body["choices"][0]["text"] != body["choices"][1]["text"]
    assert body["usage"]["prompt_tokens"] == 2
    assert body["usage"]["completion_tokens"] == 12
    chunks = events(client, "/v1/chat/completions", max_tokens=6, n=2, **WITH_USAGE)
    assert [chunk["choices"][0]["delta"].get("role") for chunk in chunks[:3]] == ["assistant", "assistant", None]
    assert sorted(chunk["choices"][0]["index"] for chunk in chunks[2:-1]) == [0] * 6 + [1] * 6
    assert chunks[-1]["usage"]["completion_tokens"] == 12


def test_several_prompts_give_choices_in_their_order(client: httpx.Client) -> None:
    one, two = complete(client, max_tokens=4), complete(client, prompt="Other words here", max_tokens=4)
    both = complete(client, prompt=["Hello world", "Other words here"], max_tokens=4)
    assert [choice["text"] for choice in both["choices"]] == [
        one["choices"][0]["text"],
        two["choices"][0]["text"],
    ]
    assert both["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"] + two["usage"]["prompt_tokens"]


def test_token_ids_are_a_prompt_of_so_many_tokens(client: httpx.Client) -> None:
    assert complete(client, prompt=[1, 2, 3], max_tokens=1)["usage"]["prompt_tokens"] == 3
    assert complete(client, prompt=[[1, 2], [3]], max_tokens=1)["usage"]["prompt_tokens"] == 3


def test_a_stop_text_ends_the_answer_before_it(client: httpx.Client) -> None:
    free = complete(client, max_tokens=12)["choices"][0]["text"]
    stop = free.split()[5]
    choice = complete(client, max_tokens=12, stop=["nowhere!", stop])["choices"][0]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", stop)
    assert choice["text"] == free[: free.index(stop)]
    chunks = events(client, "/v1/completions", max_tokens=12, stop=stop, **WITH_USAGE)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks[:-1]) == choice["text"]
    assert chunks[-2]["choices"][0]["stop_reason"] == stop
    kept = complete(client, max_tokens=12, stop=stop, include_stop_str_in_output=True)["choices"][0]
    assert kept["text"] == choice["text"] + stop


def test_an_answer_that_ends_by_itself_ends_with_an_empty_token(client: httpx.Client) -> None:
    chunks = events(client, "/v1/completions", max_tokens=500, **WITH_USAGE)
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-2]["choices"][0]["text"] == ""
    assert chunks[-1]["usage"]["completion_tokens"] == len(chunks) - 1 < 500
    assert complete(client, max_tokens=500, ignore_eos=True)["usage"]["completion_tokens"] == 500


def test_echo_repeats_the_prompt(client: httpx.Client) -> None:
    plain = complete(client, max_tokens=3)["choices"][0]["text"]
    assert complete(client, max_tokens=3, echo=True)["choices"][0]["text"] == "Hello world" + plain
    assert complete(client, max_tokens=0, echo=True)["choices"][0]["text"] == "Hello world"


def test_the_reply_carries_the_first_served_name_whichever_was_asked_for(client: httpx.Client) -> None:
    for name in SERVED:
        assert complete(client, model=name, max_tokens=1)["model"] == "qwen"
    reply = client.post("/v1/completions", json={"prompt": "x", "max_tokens": 1})
    assert reply.json()["model"] == "qwen"


def test_models_lists_every_served_name(client: httpx.Client) -> None:
    body = client.get("/v1/models").json()
    assert body["object"] == "list"
    assert [card["id"] for card in body["data"]] == list(SERVED)
    for card in body["data"]:
        assert card["root"] == "/mnt/models"
        assert card["owned_by"] == "vllm"
        assert card["max_model_len"] == 32768
        assert card["permission"][0]["object"] == "model_permission"


def test_every_reply_says_who_answered_and_that_it_is_a_stand_in(client: httpx.Client) -> None:
    replies = [client.get(path) for path in ("/health", "/version", "/v1/models", "/metrics", "/nothing")]
    replies.append(client.post("/v1/completions", json={"prompt": "x", "max_tokens": 1, "stream": True}))
    for reply in replies:
        assert reply.headers["server"] == "uvicorn"
        assert "stand-in" in reply.headers["x-simulator"]
        assert reply.headers["x-inference-pod"] == "pod-7"
    assert replies[1].json() == {"version": "0.16.0+simulator"}


def test_health_and_ping_are_empty_200s(client: httpx.Client) -> None:
    for reply in (client.get("/health"), client.get("/ping"), client.post("/ping")):
        assert (reply.status_code, reply.content) == (200, b"")


def test_the_request_id_is_the_clients_if_it_gives_one(client: httpx.Client) -> None:
    asked = {"prompt": "x", "max_tokens": 1, "request_id": "from-body"}
    assert client.post("/v1/completions", json=asked).json()["id"] == "cmpl-from-body"
    reply = client.post("/v1/completions", json=asked, headers={"X-Request-Id": "from-header"})
    assert reply.json()["id"] == "cmpl-from-header"
    assert "x-request-id" not in reply.headers


def test_a_body_without_content_length_is_read(client: httpx.Client) -> None:
    body = json.dumps({"model": "qwen", "prompt": "Hello world", "max_tokens": 2}).encode()
    parts = (body[start : start + 7] for start in range(0, len(body), 7))
    reply = client.post("/v1/completions", content=parts, headers={"Content-Type": "application/json"})
    assert reply.request.headers["transfer-encoding"] == "chunked"
    assert reply.json()["usage"]["completion_tokens"] == 2


def test_a_body_of_several_mebibytes_is_read_and_answered(client: httpx.Client) -> None:
    padding = "x" * (6 * 2**20)
    body = complete(client, max_tokens=2, user=padding)
    assert body["usage"]["completion_tokens"] == 2


def test_parts_of_a_message_are_joined_as_lines(client: httpx.Client) -> None:
    parts = [{"type": "text", "text": "Hello"}, {"type": "text", "text": "world"}]
    joined = chat(client, messages=[{"role": "user", "content": "Hello\nworld"}], max_tokens=4)
    split = chat(client, messages=[{"role": "user", "content": parts}], max_tokens=4)
    assert joined["choices"] == split["choices"]


def test_text_beyond_ascii_comes_back_as_it_went(client: httpx.Client) -> None:
    text = 'Grüße 日本 🙂 "quoted" \\ \n\t\u2028'
    assert complete(client, prompt=text, max_tokens=1, echo=True)["choices"][0]["text"].startswith(text)
    first = events(client, "/v1/completions", prompt=text, max_tokens=1, echo=True, stream=True)[0]
    assert first["choices"][0]["text"].startswith(text)
