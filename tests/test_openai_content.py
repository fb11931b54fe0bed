"""Answers that look good and are not."""

import json
from typing import Any

import pytest

from tools.explain import Violation
from tools.openai.content import expect_chat, expect_completion, expect_stream
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict

_UPSTREAM = {"server": "istio-envoy", "x-envoy-upstream-service-time": "3"}
_USAGE = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}


def _reply(body: Any, **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(Request("POST", "http://gw/v1/x", {}, "{}"), Verdict.HTTP, 200, _UPSTREAM | headers, text)


def _completion(**changes: Any) -> dict[str, Any]:
    choice = {"text": " word", "finish_reason": "length"}
    return {"object": "text_completion", "model": "m", "choices": [choice], "usage": _USAGE} | changes


def _events(*chunks: Any, end: str = "data: [DONE]\n\n") -> Reply:
    text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + end
    return _reply(text, **{"content-type": "text/event-stream; charset=utf-8"})


def _delta(content: str, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": reason}]}


def test_whole_completion() -> None:
    expect_completion(_reply(_completion()), "m")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"object": "error"}, "object is 'error'"),
        ({"model": "other"}, "model is 'other'"),
        ({"choices": []}, "with choices"),
        ({"choices": [{"text": "", "finish_reason": "stop"}]}, "no text"),
        ({"choices": [{"text": "x", "finish_reason": None}]}, "finish_reason is None"),
        ({"usage": None}, "usage is {}"),
        ({"usage": _USAGE | {"total_tokens": 7}}, "'total_tokens': 7"),
    ],
)
def test_200_is_not_enough(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Violation) as caught:
        expect_completion(_reply(_completion(**changes)), "m")
    assert words in str(caught.value)
    assert "curl -sS" in str(caught.value)


def test_a_chat_without_a_template_says_so() -> None:
    message = (
        "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if"
        " the tokenizer does not define one."
    )
    body = json.dumps({"error": {"message": message, "type": "BadRequestError", "param": None, "code": 400}})
    reply = Reply(Request("POST", "http://gw/v1/chat/completions", {}, "{}"), Verdict.HTTP, 400, _UPSTREAM, body)
    with pytest.raises(Violation) as caught:
        expect_chat(reply, "m")
    assert "no chat template: --chat-template" in str(caught.value)


def test_other_status_says_who_answered_and_why() -> None:
    reply = Reply(Request("POST", "http://gw/v1/x", {}), Verdict.HTTP, 500, {"server": "istio-envoy"}, "")
    with pytest.raises(Violation) as caught:
        expect_chat(reply, "m")
    text = str(caught.value)
    assert "expected:       a chat completion: 200 from the model server" in text
    assert "answered by the gateway" in text
    assert "probable cause: the call to the endpoint picker" in text


def test_whole_chat() -> None:
    choice = {"message": {"content": "Hi"}, "finish_reason": "stop"}
    expect_chat(_reply({"object": "chat.completion", "model": "m", "choices": [choice], "usage": _USAGE}), "m")


def test_whole_stream() -> None:
    stream = expect_stream(_events(_delta(""), _delta("Hi"), _delta("!", "stop"), {"choices": [], "usage": _USAGE}))
    assert stream.text == "Hi!"
    assert stream.usage == _USAGE


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (_events(_delta("Hi", "stop"), {"choices": [], "usage": _USAGE}, end=""), "does not end with data: [DONE]"),
        (_events(_delta("Hi", "stop")), "usage is None"),
        (_events(_delta("Hi"), {"choices": [], "usage": _USAGE}), "finish reasons are []"),
        (_events(_delta("", "stop"), {"choices": [], "usage": _USAGE}), "it has no text"),
        (_events(_delta("Hi", "stop"), end="data: [DONE]\n\ndata: {}\n\n"), "1 events follow [DONE]"),
        (_events(end="data: {broken\n\n"), "events are not JSON"),
        (_reply(_completion(), **{"content-type": "application/json"}), "content-type is application/json"),
        (_reply("data: [DONE]\n\n", **{"content-type": "text/event-stream", "content-length": "9"}), "content-length"),
    ],
)
def test_broken_streams(reply: Reply, words: str) -> None:
    with pytest.raises(Violation) as caught:
        expect_stream(reply)
    assert words in str(caught.value)


def test_events_of_several_lines_and_carriage_returns() -> None:
    text = 'data: {"choices":\r\ndata: []}\r\n\r\n: comment\r\n\r\ndata:[DONE]\r\n\r\n'
    with pytest.raises(Violation) as caught:
        expect_stream(_reply(text, **{"content-type": "text/event-stream"}))
    assert "JSON" not in str(caught.value)
    assert "[DONE]; " not in str(caught.value)
