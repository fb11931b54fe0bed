"""The client against real sockets: every way in which an exchange can end has its name, and nothing is asked twice."""

import json
import re
import socket
import threading

import httpx
import pytest

from tests.http_server import Answer, serving
from tools.openai.client import Client
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict
from tools.waiting import timeouts


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
    assert (reply.verdict, reply.status, reply.json) == (Verdict.HTTP, 404, {"detail": "Not Found"})
    assert "HTTP 404, server uvicorn" in reply.summary


@pytest.mark.parametrize("status", [302, 500, 503])
def test_nothing_is_repeated_or_followed(status: int) -> None:
    with serving(lambda _: Answer(status, "", {"Location": "/elsewhere"})) as (url, asked):
        assert _client(url).chat().status == status
    assert len(asked) == 1


def test_cut_connection_is_a_reset() -> None:
    with serving(lambda _: Answer(cut=True)) as (url, asked):
        reply = _client(url).models()
    assert reply.verdict is Verdict.RESET
    assert len(asked) == 1


def test_answer_that_is_cut_in_the_middle_is_no_answer() -> None:
    with serving(lambda _: Answer(200, "half", {"Content-Length": "8"})) as (url, _):
        reply = _client(url).models()
    assert (reply.verdict, reply.status) == (Verdict.RESET, 0)
    assert "after HTTP 200 and 4 bytes of its body" in reply.summary


def test_answer_that_trickles_ends_with_its_own_timeout() -> None:
    ended = threading.Event()

    def trickle(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not ended.wait(0.02):
            connection.sendall(b".")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener,))
        thread.start()
        timeouts.override({"request-whole": 0.1})
        try:
            reply = _client(f"http://127.0.0.1:{listener.getsockname()[1]}").models()
        finally:
            timeouts.override({})
            ended.set()
            thread.join()
    assert reply.verdict is Verdict.DROPPED
    assert "the answer goes on after 0.1 s" in reply.problem


def test_silence_is_dropped() -> None:
    with serving(lambda _: Answer(late=True)) as (url, _):
        reply = _client(url, 0.1).models()
    assert reply.verdict is Verdict.DROPPED
    assert "no answer in time after 0.1 s" in reply.summary


def test_closed_port_is_refused() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening
        reply = _client(f"http://127.0.0.1:{held.getsockname()[1]}").models()
    assert reply.verdict is Verdict.REFUSED


def test_every_request_has_an_id_of_its_own() -> None:
    with serving(lambda _: Answer()) as (url, asked):
        replies = [_client(url).models() for _ in range(2)]
    sent = [each.headers["x-request-id"] for each in asked]
    assert sent == [reply.request.id for reply in replies]
    assert len(set(sent)) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in sent)
    assert f", request {sent[0]}" in replies[0].summary
    assert sent[0] not in replies[0].request.curl  # asked again by hand it is another request


def test_id_of_the_caller_is_kept() -> None:
    with serving(lambda _: Answer(headers={"X-Request-Id": "another"})) as (url, asked):
        reply = _client(url).get("/", {"x-request-id": "mine"})
    assert (asked[0].headers["x-request-id"], reply.request.id) == ("mine", "mine")
    assert "-H 'x-request-id: mine'" in reply.request.curl
    assert "request mine (answered as another)" in reply.summary


def test_observer_has_every_reply_before_the_caller() -> None:
    seen: list[Reply] = []
    with serving(lambda _: Answer(404)) as (url, _):
        client = Client(url, "m", "tester", on_reply=seen.append)
        reply = client.models()
    closed = client.models()
    assert seen == [reply, closed]
    assert closed.verdict is Verdict.REFUSED


def test_name_that_does_not_resolve() -> None:
    assert _client("http://no-such-host.invalid").models().verdict is Verdict.UNREACHABLE


def test_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with serving(lambda _: Answer(200)) as (url, _):
        assert _client(url).models().status == 200


def test_curl_can_be_copied() -> None:
    body = '{"prompt": "it\'s"}'
    curl = Request("POST", "http://a/v1/x", {"Content-Type": "application/json"}, body).curl
    assert curl.startswith("curl -sS -i -N -X POST http://a/v1/x -H 'Content-Type: application/json' -d ")
    assert """'"'"'""" in curl
