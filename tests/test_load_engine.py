"""The load engine against a real server on this machine."""

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.http_server import Answer, serving
from tests.load_records import record
from tools.load.engine import Load, TooBusy, Traffic, expect_in_time, running
from tools.load.record import NANOSECONDS, ErrorKind, RequestRecord
from tools.load.transport import Question
from tools.openai.connection import Connection
from tools.secret import Secret
from tools.simulator.background import in_background
from tools.simulator.settings import Settings

_SERVER = Settings(("m",), "m", host="127.0.0.1", port=0, ttft_ms=1, itl_ms=1, pod_name="pod-1")
_LONG = Question({"prompt": "x", "max_tokens": 20, "ignore_eos": True}, streamed=True)
_CUT = {"Content-Type": "text/event-stream", "Content-Length": "1000"}
_TOKEN = 'data: {"choices":[{"text":"one","finish_reason":null}]}\n\n'


def _few(traffic: Traffic, wanted: int) -> list[RequestRecord]:
    assert traffic.await_records(lambda found: len(found) >= wanted, 20)
    return traffic.records


def test_requests_are_sent_when_they_are_due_and_streams_follow_each_other() -> None:
    load = Load(rate=50, streams=2, long_question=_LONG)
    with in_background(_SERVER) as url, running(Connection("m"), url, "test", load) as traffic:
        _few(traffic, 20)
        mark = traffic.mark("later")
        _few(traffic, 40)
    assert traffic.failed == []
    found = traffic.records
    short = sorted(each.intended_ns for each in found if not each.streamed)
    steps = {round((after - before) * 50 / NANOSECONDS, 3) for before, after in pairwise(short)}
    assert steps == {1.0}
    assert all(each.intended_ns <= each.sent_ns <= each.eof_ns for each in found)
    for each in found:
        assert (each.pod, each.status, each.finish_reason) == ("pod-1", 200, "length")
        if each.streamed:
            assert each.first_token_ns is not None
            assert each.last_token_ns is not None
            assert each.headers_ns is not None
            # All at once, where this machine was too busy to read in between.
            assert each.sent_ns < each.headers_ns <= each.first_token_ns <= each.last_token_ns <= each.eof_ns
            assert each.tokens == 20
    assert {each.streamed for each in found} == {True, False}
    assert sum(len(each.records) for each in traffic.slices) == len(found)
    assert traffic.slices[-1].start is mark


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(503, "no healthy upstream"), ErrorKind.HTTP),
        (Answer(200, _TOKEN, _CUT), ErrorKind.TRUNCATED),
        (Answer(200, _TOKEN, {"Content-Type": "text/event-stream"}), ErrorKind.TRUNCATED),
        (Answer(cut=True), ErrorKind.RESET),
    ],
)
def test_a_failure_is_a_record_and_never_asked_again(answer: Answer, kind: ErrorKind) -> None:
    with serving(lambda _: answer) as (url, asked):
        with running(Connection("m", Secret("sesame-sesame")), url, "test", Load(20, _LONG)) as traffic:
            _few(traffic, 3)
        assert {each.error_kind for each in traffic.records} == {kind}
        assert len(asked) == len(traffic.records)
        assert len({each.headers["x-request-id"] for each in asked}) == len(asked)
        assert asked[0].headers["authorization"] == "Bearer sesame-sesame"
    assert "sesame" not in traffic.records[0].request.curl + traffic.records[0].reply.summary


def test_nobody_there_is_a_record_too() -> None:
    with serving(lambda _: Answer()) as (url, _):
        pass
    with running(Connection("m"), url, "test", Load(20, streams=1)) as traffic:
        found = _few(traffic, 4)
    assert {each.error_kind for each in found} == {ErrorKind.CONNECT}


def test_what_was_sent_late_says_nothing() -> None:
    on_time = record(5)
    expect_in_time([on_time, replace(on_time, intended_ns=on_time.sent_ns - NANOSECONDS // 2)])
    with pytest.raises(TooBusy, match=r"3\.0 s after it was due"):
        expect_in_time([on_time, replace(on_time, intended_ns=on_time.sent_ns - 3 * NANOSECONDS)])


def test_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        Load(rate=0)
