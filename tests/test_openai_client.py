"""The client against real sockets: every way in which an exchange can end has its name, and nothing is asked twice."""

import json
import socket

import httpx
import pytest

from tests.http_server import Answer, serving
from tools.openai.client import Client
from tools.openai.reply import Request, Transport


def _client(url: str, seconds: float = 5.0) -> Client:
    return Client(url, "a/model", "tester (case)", timeout=httpx.Timeout(seconds))


def test_request_is_what_the_api_wants() -> None:
    with serving(lambda _: Answer(200, "{}")) as (url, asked):
        _client(f"{url}/ns/name").complete("Hello", max_tokens=3, headers={"X-Some": "thing"})
    assert (asked[0].method, asked[0].path) == ("POST", "/ns/name/v1/completions")
    assert json.loads(asked[0].body) == {"model": "a/model", "prompt": "Hello", "max_tokens": 3}
    assert asked[0].headers["user-agent"] == "tester (case)"
    assert asked[0].headers["x-some"] == "thing"


def test_answer_is_kept_whole() -> None:
    with serving(lambda _: Answer(404, '{"detail":"Not Found"}', {"Server": "uvicorn"})) as (url, _):
        reply = _client(url).models()
    assert (reply.transport, reply.status, reply.json) == (Transport.COMPLETE, 404, {"detail": "Not Found"})
    assert "HTTP 404, server uvicorn" in reply.summary


@pytest.mark.parametrize("status", [302, 500, 503])
def test_nothing_is_repeated_or_followed(status: int) -> None:
    with serving(lambda _: Answer(status, "", {"Location": "/elsewhere"})) as (url, asked):
        assert _client(url).chat().status == status
    assert len(asked) == 1


def test_cut_connection_is_a_reset() -> None:
    with serving(lambda _: Answer(cut=True)) as (url, asked):
        reply = _client(url).models()
    assert reply.transport is Transport.RESET
    assert len(asked) == 1


def test_silence_is_dropped() -> None:
    with serving(lambda _: Answer(late=True)) as (url, _):
        reply = _client(url, 0.1).models()
    assert reply.transport is Transport.DROPPED
    assert "no answer in time after 0.1 s" in reply.summary


def test_closed_port_is_refused() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening
        reply = _client(f"http://127.0.0.1:{held.getsockname()[1]}").models()
    assert reply.transport is Transport.REFUSED


def test_name_that_does_not_resolve() -> None:
    assert _client("http://no-such-host.invalid").models().transport is Transport.UNREACHABLE


def test_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(lambda _: Answer(200)) as (url, _):
        assert _client(url).models().status == 200


def test_curl_can_be_copied() -> None:
    body = '{"prompt": "it\'s"}'
    curl = Request("POST", "http://a/v1/x", {"Content-Type": "application/json"}, body).curl
    assert curl.startswith("curl -sS -i -N -X POST http://a/v1/x -H 'Content-Type: application/json' -d ")
    assert """'"'"'""" in curl
