"""Requests of a kind, judged together; and requests that go out as they are written."""

import pytest

from tests.http_server import Answer, serving
from tools.explain import Violation
from tools.openai.client import Client
from tools.openai.curl import Via, command
from tools.openai.fingerprint import GATEWAY, SERVER
from tools.openai.reply import Reply, Request
from tools.probe.verdict import ProbeFailed, Verdict
from tools.route.answers import Right, Row, expect_rows

ASKED = Request("GET", "http://gw/x", {})
ENVOY = {"server": "istio-envoy"}


def _reply(status: int, body: str = "", **headers: str) -> Reply:
    return Reply(ASKED, Verdict.HTTP, status, headers, body)


REFUSED = Reply(ASKED, Verdict.HTTP, 404, ENVOY)
SERVED = _reply(200, "{}", server="uvicorn")


def _row(reply: Reply, *right: Right) -> Row:
    return Row("it", lambda: reply, right)


def test_right_answers_are_given_back() -> None:
    rows = [_row(REFUSED, Right(GATEWAY, (404,))), _row(SERVED, Right(GATEWAY, (404,)), Right(SERVER, (200,)))]
    assert expect_rows(rows, "all well") == [REFUSED, SERVED]


@pytest.mark.parametrize(
    ("reply", "right", "words"),
    [
        (REFUSED, Right(SERVER, (200,)), ["it: HTTP 404", "answered by the gateway", "no route matches"]),
        (SERVED, Right(GATEWAY, (404,)), ["answered by the model server, not 404 from the gateway", "matches more"]),
        (_reply(503, "", server="uvicorn"), Right(SERVER), ["not below 500 from the model server"]),
    ],
)
def test_wrong_ones_are_told_with_their_cause(reply: Reply, right: Right, words: list[str]) -> None:
    with pytest.raises(Violation) as caught:
        expect_rows([_row(SERVED, Right(SERVER)), _row(reply, right)], "all well")
    assert [word for word in words if word not in str(caught.value)] == []
    assert ASKED.curl in str(caught.value)


def test_what_never_left_proves_nothing() -> None:
    failed = Reply(ASKED, Verdict.PROBE_FAILED, problem="no sockets left")
    with pytest.raises(ProbeFailed):
        expect_rows([_row(failed, Right(SERVER))], "all well")


@pytest.mark.parametrize("path", ["/a/../b", "/a/./b", "/a//b", "/a/%2e%2e/b", "/a/%6d"])
def test_path_goes_out_as_it_is_written(path: str) -> None:
    with serving(lambda _: Answer(200, "{}")) as (url, asked):
        Client(url, "m", "tester").get(f"{path}?q=1")
    assert asked[0].path == f"{path}?q=1"


def test_curl_leaves_dots_and_takes_long_bodies_from_a_file() -> None:
    assert "--path-as-is" in command("GET", "http://gw/a/../b", {}, "", Via())
    assert "--path-as-is" not in command("GET", "http://gw/a/b", {}, "", Via())
    long = command("POST", "http://gw/a", {}, "x" * 100_000, Via())
    assert len(long) < 300
    assert "--data-binary @body.json" in long
