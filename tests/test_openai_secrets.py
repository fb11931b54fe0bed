"""A token is sent, and is in nothing that anybody could print."""

import json
from dataclasses import asdict

import httpx
import pytest

from tests.http_server import Answer, Asked, serving
from tools.errors import UserError
from tools.explain import Violation
from tools.openai.client import Client
from tools.openai.expect import expect_status
from tools.openai.reply import Reply, Request
from tools.secret import Secret

TOKEN = "sha256~planted-token-0123456789"


def _telling(asked: Asked) -> Answer:
    """A server that tells a client everything that it sent, as some do."""
    return Answer(500, json.dumps(dict(asked.headers)), {"X-Told": asked.headers.get("authorization", "")})


def _texts(reply: Reply) -> list[str]:
    with pytest.raises(Violation) as caught:
        expect_status(reply, 200, "an answer")
    texts = [repr(reply), str(reply), reply.summary, reply.body, str(reply.headers), reply.request.curl]
    return [*texts, str(caught.value), repr(caught.value), json.dumps(asdict(reply))]


def _asking(**options: str) -> tuple[Reply, Asked]:
    with serving(_telling) as (url, asked):
        client = Client(url, "m", "tester", token=Secret(TOKEN))
        reply = client.complete(headers=options)
        assert TOKEN not in repr(vars(client))
        client.close()
    return reply, asked[0]


def test_token_is_sent_and_never_shown() -> None:
    reply, asked = _asking()
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert [text for text in _texts(reply) if TOKEN in text] == []
    assert '-H "Authorization: Bearer $TOKEN"' in reply.request.curl
    assert reply.json["authorization"] == "$TOKEN"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer another-planted-token", '-H "Authorization: Bearer $TOKEN"'),
        ("authorization", "another-planted-token", '-H "authorization: $TOKEN"'),
        ("Authorization", "$(touch x) another-planted-token", '-H "Authorization: $TOKEN"'),
        ("X-Api-Key", "another-planted-token", '-H "X-Api-Key: $TOKEN"'),
        ("Cookie", "session=another-planted-token", '-H "Cookie: $TOKEN"'),
    ],
)
def test_what_a_case_sends_itself_is_not_shown_either(name: str, value: str, shown: str) -> None:
    reply, asked = _asking(**{name: value})
    assert asked.headers[name.lower()] == value
    assert shown in reply.request.curl
    texts = _texts(reply)
    assert [text for text in texts if TOKEN in text or "another-planted-token" in text] == []


def test_own_authorization_goes_before_the_clients() -> None:
    _, asked = _asking(authorization="Bearer of-somebody-else")
    assert asked.headers["authorization"] == "Bearer of-somebody-else"


def test_request_that_was_not_sent_yet_does_not_show_it() -> None:
    request = Request("GET", "http://a/", {"Authorization": f"Bearer {TOKEN}"})
    assert TOKEN not in repr(request) + str(request) + request.curl + f"{request.headers}"


@pytest.mark.parametrize("value", [f"{TOKEN}\n", f"{TOKEN} b", "", f"{TOKEN}ß"])
def test_token_that_no_header_may_have_is_the_users_mistake(value: str) -> None:
    with pytest.raises(UserError, match="--token-env") as caught:
        Client("http://a", "m", "tester", token=Secret(value))
    assert TOKEN not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}\n", f"Bearer {TOKEN}\0'\\"])
def test_header_that_cannot_be_sent_is_not_shown(value: str) -> None:
    with serving(lambda _: Answer()) as (url, _):
        reply = Client(url, "m", "tester").get("/", {"Authorization": value})
    assert "LocalProtocolError: Illegal header value" in reply.summary
    assert TOKEN not in repr(reply) + reply.summary


def test_token_is_not_in_the_reply_when_nothing_answers() -> None:
    client = Client("http://127.0.0.1:1", "m", "tester", token=Secret(TOKEN), timeout=httpx.Timeout(1))
    assert [text for text in _texts(client.models()) if TOKEN in text] == []


def test_proxys_password_is_sent_and_never_shown() -> None:
    with serving(lambda _: Answer(502, "no way")) as (url, asked):
        proxy = url.replace("http://", "http://somebody:planted-password@")
        reply = Client("http://gateway.test/x", "m", "tester", proxy=proxy).models()
    assert asked[0].path == "http://gateway.test/x/v1/models"
    assert asked[0].headers["proxy-authorization"].startswith("Basic ")
    assert [text for text in _texts(reply) if "planted-password" in text] == []
    assert '-x "$PROXY"' in reply.request.curl
