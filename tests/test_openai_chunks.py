"""Chunks of streams, forms of requests, refusals and texts: what is wrong with them is said, and nothing else is."""

import json
from typing import Any

import pytest

from tools.openai import chunks, refusals, sanity
from tools.openai.chunked import pieces
from tools.openai.forms import differences, digest, forms
from tools.openai.refusals import Bad
from tools.openai.streaming import Stream, parse
from tools.profile import load_profile
from tools.simulator.engine import Sampling, generate
from tools.simulator.tokens import tokenize

USAGE = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}


def _chunk(**changes: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": " word"}, "finish_reason": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
    } | changes


def _choice(**changes: Any) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": {"content": " word"}, "finish_reason": None} | changes]


FIRST = _chunk(choices=_choice(delta={"role": "assistant", "content": ""}))
LAST = _chunk(choices=_choice(finish_reason="length"))
TOLD = _chunk(choices=[], usage=USAGE)


def _stream(*found: Any) -> Stream:
    return Stream(tuple(found), True, 0, ())


def test_a_good_stream_has_no_trouble() -> None:
    assert chunks.trouble(_stream(FIRST, _chunk(), LAST, TOLD), "m", chat=True) == []


def test_a_good_stream_of_text_has_no_trouble() -> None:
    text = {"index": 0, "text": " word", "finish_reason": None}
    shape = {"object": "text_completion"}
    found = _stream(
        _chunk(choices=[text], **shape),
        _chunk(choices=[text | {"finish_reason": "stop"}], **shape),
        _chunk(choices=[], usage=USAGE, **shape),
    )
    assert chunks.trouble(found, "m", chat=False) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((FIRST, _chunk(model="other"), LAST, TOLD), "chunk 1: model is 'other', not m"),
        ((FIRST, _chunk(object="chat.completion"), LAST, TOLD), "chunk 1: object is 'chat.completion'"),
        ((FIRST, _chunk(created="now"), LAST, TOLD), "created is 'now'"),
        ((FIRST, _chunk(choices=None), LAST, TOLD), "choices is None"),
        ((FIRST, _chunk(choices=_choice(index=1)), LAST, TOLD), "not the first and only one"),
        ((FIRST, _chunk(choices=_choice(delta=" word")), LAST, TOLD), "delta is ' word'"),
        ((FIRST, _chunk(choices=_choice(finish_reason="bored")), LAST, TOLD), "finish_reason is 'bored'"),
        ((FIRST, _chunk(id="chatcmpl-2"), LAST, TOLD), "ids are ['chatcmpl-1', 'chatcmpl-2']"),
        ((FIRST, LAST, _chunk(), TOLD), "finish_reason is in chunks [1] of 3"),
        ((FIRST, _chunk(), TOLD), "finish_reason is in chunks [] of 2"),
        ((_chunk(), LAST, TOLD), "does not say role assistant"),
        ((FIRST, LAST), "the last chunk is not the one with usage"),
        ((FIRST, LAST, _chunk(choices=[])), "the last chunk is not the one with usage"),
        ((FIRST, {"error": {"message": "dead"}}, LAST, TOLD), "an error inside the stream"),
        ((FIRST, "text", LAST, TOLD), "it is no object but 'text'"),
    ],
)
def test_what_is_wrong_with_a_chunk_is_said(found: tuple[Any, ...], words: str) -> None:
    assert words in "\n".join(chunks.trouble(_stream(*found), "m", chat=True))


def test_a_server_that_breaks_every_chunk_is_told_of_in_a_few_lines() -> None:
    lines = chunks.trouble(_stream(*(_chunk(model="other") for _ in range(40))), "m", chat=True)
    assert len([line for line in lines if line.startswith("chunk")]) == 5
    assert "and 35 more" in lines


BAD = Bad("no answers", "/v1/completions", "{}")


def _error(**changes: Any) -> str:
    return json.dumps({"error": {"message": "n is 0", "type": "BadRequestError", "code": 400} | changes})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, _error()),
        (400, _error(code="invalid_value")),
        (422, json.dumps({"object": "error", "message": "no", "type": "BadRequestError", "code": 422})),
    ],
)
def test_a_refusal_of_either_form_is_good(status: int, body: str) -> None:
    assert refusals.trouble(BAD, status, body) == ""


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "{}", "200, not 400 or 422"),
        (500, _error(code=500), "500, not 400"),
        (400, "Bad Request", "without an error object"),
        (400, "[]", "without an error object"),
        (400, _error(code=500), "code is 500, the status 400"),
        (400, _error(message=""), "message is empty"),
        (400, _error(type=None), "type is None"),
    ],
)
def test_what_is_wrong_with_a_refusal_is_said(status: int, body: str, words: str) -> None:
    assert words in refusals.trouble(BAD, status, body)


def test_there_are_more_than_ten_kinds_of_bad_requests_and_each_is_another() -> None:
    found = refusals.bad_requests("m")
    assert len({each.what for each in found}) == len(found) > 10
    assert len({(each.path, each.body, tuple(each.headers.items())) for each in found}) == len(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        (" \n ", "it is empty"),
        ("!" * 40, "the character '!' is 40 of 40"),
        ("!" * 8, "no letter"),
        ("ocean " * 12, "the word 'ocean' is 12 of 12"),
        ("The sea is \ufffd\ufffd", "2 characters that could not be decoded"),
        ("The sea\x00 is wide", "control characters"),
    ],
)
def test_text_of_no_model_is_known(text: str, words: str) -> None:
    assert words in "\n".join(sanity.trouble(text))


@pytest.mark.parametrize(
    "text",
    [
        "Sea",
        "42",
        "東京は日本の首都です。",
        "The sea is wide, and the ships on it are small.",
        "- pears\n- plums\n- figs",
    ],
)
def test_text_of_models_is_not_doubted(text: str) -> None:
    assert sanity.trouble(text) == []


def test_answers_to_different_prompts_are_not_to_be_one() -> None:
    assert sanity.alike(["a", "a"])
    assert not sanity.alike(["a", "b"])
    assert not sanity.alike(["a"])


def test_forms_ask_the_same_and_are_told_apart_by_how_they_are_sent() -> None:
    found = {each.name: each for each in forms("m")}
    assert json.loads(found["raw UTF-8"].body) == json.loads(found["escaped Unicode"].body)
    assert found["raw UTF-8"].body != found["escaped Unicode"].body
    assert b"".join(pieces(found["chunked upload"].body)) == found["raw UTF-8"].body.encode()
    assert len(list(pieces(found["chunked upload"].body))) > 2


def test_an_answer_is_compared_by_what_must_not_depend_on_its_way() -> None:
    whole = {"choices": [{"text": "a", "finish_reason": "length"}], "usage": USAGE, "model": "m", "id": "1"}
    cached = whole | {"usage": USAGE | {"prompt_tokens_details": {"cached_tokens": 4}}, "id": "2"}
    kind = {"content-type": "application/json"}
    own, through = (digest(200, kind, json.dumps(each)) for each in (whole, cached))
    assert differences(own, through) == []
    other = digest(200, {"content-type": "text/plain"}, json.dumps(whole | {"model": "other"}))
    assert differences(own, other) == [
        "content-type is 'text/plain', and 'application/json' from the server itself",
        "model is 'other', and 'm' from the server itself",
    ]


def test_a_stream_that_was_collected_is_another_answer() -> None:
    body = 'data: {"choices": [{"text": "a", "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    assert parse(body).done
    kind = {"content-type": "text/event-stream; charset=utf-8"}
    own, through = digest(200, kind, body), digest(200, kind | {"content-length": "70"}, body)
    assert differences(own, through) == ["length stated is True, and False from the server itself"]


def test_what_is_no_answer_is_compared_as_it_is() -> None:
    assert digest(500, {}, "oops")["body"] == "oops"
    assert digest(200, {"content-type": "application/json"}, "[]")["body"] == "[]"


@pytest.mark.parametrize("name", ["local-gpu", "local-tpu"])
def test_golden_answers_of_the_local_profiles_are_the_simulators(name: str) -> None:
    for each in load_profile(name).golden:
        given = generate(tokenize(each.prompt), Sampling(max_tokens=8, seed=0)).text
        assert given.startswith(each.answer)
