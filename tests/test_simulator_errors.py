"""Refusals: vLLM's status codes and bodies."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tools.simulator.background import in_background
from tools.simulator.settings import Settings

PLAIN = "/v1/completions"
CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    settings = Settings(
        served_names=("qwen",), model="m", host="127.0.0.1", port=0, ttft_ms=0, itl_ms=0, max_model_len=64
    )
    with in_background(settings) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def refused(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    """The `error` of a refused request, after checking that it fits the status and has all fields."""
    reply = client.post(path, json=body)
    assert reply.headers["content-type"] == "application/json"
    error = dict(reply.json()["error"])
    assert list(error) == ["message", "type", "param", "code"]
    assert error["code"] == reply.status_code
    return error


@pytest.mark.parametrize("path", [PLAIN, CHAT])
def test_an_unknown_model_is_404_with_vllms_body(client: httpx.Client, path: str) -> None:
    reply = client.post(path, json={"model": "gpt", "prompt": "x", "messages": HI, "stream": True})
    assert reply.status_code == 404
    assert reply.json() == {
        "error": {
            "message": "The model `gpt` does not exist.",
            "type": "NotFoundError",
            "param": "model",
            "code": 404,
        }
    }


def test_an_unknown_path_is_fastapis_404(client: httpx.Client) -> None:
    for path in ("/", "/v1/completion", "/ns/name/v1/completions"):
        reply = client.post(path, json={})
        assert (reply.status_code, reply.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", PLAIN, "POST"), ("PUT", CHAT, "POST"), ("POST", "/health", "GET"), ("HEAD", "/v1/models", "GET")],
)
def test_a_wrong_method_is_405(client: httpx.Client, method: str, path: str, allow: str) -> None:
    reply = client.request(method, path)
    assert reply.status_code == 405
    assert reply.headers["allow"] == allow
    assert method == "HEAD" or reply.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("body", [b"{", b"", b"nonsense", b"\xff\xfe", b'{"prompt": "x"', b"[" * 100_000])
def test_what_is_not_json_is_400(client: httpx.Client, body: bytes) -> None:
    reply = client.post(PLAIN, content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["type"] == "Bad Request"
    assert ("Field required" if not body else "JSON decode error") in error["message"]


def test_json_that_is_no_object_is_400(client: httpx.Client) -> None:
    reply = client.post(PLAIN, json=["prompt"])
    assert reply.status_code == 400
    assert "valid dictionary" in reply.json()["error"]["message"]


def test_another_content_type_is_400(client: httpx.Client) -> None:
    reply = client.post(PLAIN, content=b'{"prompt": "x"}', headers={"Content-Type": "text/plain"})
    assert reply.status_code == 400
    assert "Only 'application/json' is allowed" in reply.json()["error"]["message"]


@pytest.mark.parametrize("body", [{}, {"prompt": None}, {"prompt": ""}])
def test_a_missing_prompt_is_400(client: httpx.Client, body: dict[str, Any]) -> None:
    error = refused(client, PLAIN, **body)
    assert (error["code"], error["type"]) == (400, "Bad Request")
    assert "Either prompt or prompt_embeds must be provided and non-empty." in error["message"]


def test_missing_messages_are_400(client: httpx.Client) -> None:
    error = refused(client, CHAT, model="qwen")
    assert (error["code"], error["type"]) == (400, "Bad Request")
    assert "'loc': ('body', 'messages')" in error["message"]
    assert "Field required" in error["message"]


def test_a_prompt_beyond_the_context_is_400_and_says_so(client: httpx.Client) -> None:
    error = refused(client, PLAIN, model="qwen", prompt="word " * 60, max_tokens=10)
    assert (error["code"], error["type"], error["param"]) == (400, "BadRequestError", "input_tokens")
    assert (
        "This model's maximum context length is 64 tokens. However, you requested 10 output tokens"
        in (error["message"])
    )
    chat = refused(client, CHAT, messages=[{"role": "user", "content": "word " * 60}])
    assert "maximum context length is 64 tokens" in chat["message"]
    ids = refused(client, PLAIN, prompt=[1] * 65)
    assert ids["param"] == "input_tokens"


def test_a_prompt_of_several_mebibytes_is_refused_by_its_characters(client: httpx.Client) -> None:
    error = refused(client, PLAIN, prompt="x" * (8 * 2**20))
    assert (error["code"], error["param"]) == (400, "input_text")
    assert "maximum context length is 64 tokens" in error["message"]
    assert len(error["message"]) < 1000


def test_the_longest_prompt_that_fits_is_answered(client: httpx.Client) -> None:
    body = {"model": "qwen", "prompt": [1] * 60, "max_tokens": 4, "ignore_eos": True}
    assert client.post(PLAIN, json=body).json()["usage"]["total_tokens"] == 64
    assert refused(client, PLAIN, prompt=[1] * 61, max_tokens=4)["code"] == 400


def test_more_output_than_context_is_refused(client: httpx.Client) -> None:
    assert refused(client, PLAIN, prompt="x", max_tokens=65)["param"] == "max_tokens"
    assert refused(client, CHAT, messages=HI, max_completion_tokens=65)["param"] == "max_completion_tokens"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("n", 0, "n must be at least 1, got 0."),
        ("n", 1000, "n must be at most"),
        ("max_tokens", 0, "max_tokens must be at least 1, got 0."),
        ("max_tokens", -3, "max_tokens must be at least 1, got -3."),
        ("min_tokens", 30, "min_tokens must be less than or equal to max_tokens=16, got 30."),
        ("min_tokens", -1, "min_tokens must be greater than or equal to 0"),
        ("temperature", -0.5, "temperature must be non-negative, got -0.5."),
        ("top_p", 0, "top_p must be in (0, 1], got 0.0."),
        ("presence_penalty", 3, "presence_penalty must be in [-2, 2], got 3.0."),
        ("stop", ["a", ""], "stop cannot contain an empty string."),
        ("suffix", "x", "suffix is not currently supported"),
        ("logprobs", 3, "logprobs is not supported by this simulator."),
        ("prompt_logprobs", 1, "prompt_logprobs is not supported by this simulator."),
        ("use_beam_search", True, "use_beam_search is not supported by this simulator."),
        ("response_format", {"type": "json_object"}, "response_format is not supported by this simulator."),
    ],
)
def test_values_that_the_engine_refuses(client: httpx.Client, field: str, value: Any, words: str) -> None:
    error = refused(client, PLAIN, model="qwen", prompt="x", **{field: value})
    assert (error["code"], error["type"]) == (400, "BadRequestError")
    assert words in error["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_tokens", "many"),
        ("max_tokens", 1.5),
        ("stream", "maybe"),
        ("stream", 2),
        ("model", 7),
        ("stop", 7),
        ("stop", ["a", 7]),
        ("seed", "x"),
        ("temperature", "hot"),
        ("prompt", {"text": "x"}),
        ("prompt", []),
        ("prompt", ["a", 1]),
        ("prompt", [-1]),
        ("stream_options", "all"),
    ],
)
def test_fields_of_a_wrong_type_are_400_and_named(client: httpx.Client, field: str, value: Any) -> None:
    error = refused(client, PLAIN, **{"model": "qwen", "prompt": "x", field: value})
    assert (error["code"], error["type"]) == (400, "Bad Request")
    assert f"'loc': ('body', '{field}')" in error["message"]


@pytest.mark.parametrize(
    "messages",
    [
        "hi",
        [],
        ["hi"],
        [{"content": "hi"}],
        [{"role": "user", "content": 5}],
        [{"role": "user", "content": [{"type": "image_url"}]}],
    ],
)
def test_malformed_messages_are_400(client: httpx.Client, messages: Any) -> None:
    assert refused(client, CHAT, messages=messages)["code"] == 400


def test_values_are_read_as_leniently_as_pydantic_reads_them(client: httpx.Client) -> None:
    body = {"prompt": "x", "max_tokens": "3", "n": 2.0, "stream": "no", "temperature": "0.5", "ignore_eos": 1}
    assert client.post(PLAIN, json=body).json()["usage"]["completion_tokens"] == 6


def test_stream_options_without_stream_are_400(client: httpx.Client) -> None:
    error = refused(client, PLAIN, prompt="x", stream_options={"include_usage": True})
    assert (error["type"], error["param"]) == ("Bad Request", "stream_options")
    assert "Stream options can only be defined when `stream=True`." in error["message"]


def test_tools_are_refused_as_vllm_without_a_tool_parser_does(client: httpx.Client) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert "--enable-auto-tool-choice" in refused(client, CHAT, messages=HI, tools=tools)["message"]
    assert refused(client, CHAT, messages=HI, tools=tools, tool_choice="required")["code"] == 400
    reply = client.post(CHAT, json={"messages": HI, "tools": tools, "tool_choice": "none", "max_tokens": 1})
    assert reply.status_code == 200


def test_a_refused_request_leaves_the_server_as_it_was(client: httpx.Client) -> None:
    assert client.post(PLAIN, json={"prompt": "x", "max_tokens": 1}).status_code == 200
