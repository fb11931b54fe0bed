"""What one answer says about a promise: plain HTTP, a demand for a token, what headers tell."""

from typing import Any

import pytest

from tools.openai.access import refused
from tools.openai.leaks import leaks
from tools.openai.plaintext import trouble
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict
from tools.profile.gateway import Plaintext

ASKED = Request("POST", "http://192.0.2.1/n/s/v1/completions", {})


def answered(status: int, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(ASKED, Verdict.HTTP, status, named)


THERE = "https://gw.test/n/s/v1/completions"


@pytest.mark.parametrize(
    ("reply", "promised", "right"),
    [
        (answered(200), Plaintext.OPEN, True),
        (answered(301, location=THERE), Plaintext.OPEN, False),
        (answered(200), Plaintext.CLOSED, False),
        (answered(404), Plaintext.CLOSED, False),
        (Reply(ASKED, Verdict.REFUSED), Plaintext.CLOSED, True),
        (Reply(ASKED, Verdict.DROPPED), Plaintext.CLOSED, True),
        (Reply(ASKED, Verdict.UNREACHABLE), Plaintext.CLOSED, True),
        (Reply(ASKED, Verdict.PROBE_FAILED), Plaintext.CLOSED, False),
        (answered(301, location=THERE), Plaintext.REDIRECT, True),
        (answered(308, location=THERE), Plaintext.REDIRECT, True),
        (answered(301, location="https://gw.test/"), Plaintext.REDIRECT, False),
        (answered(301, location="http://gw.test/n/s/v1/completions"), Plaintext.REDIRECT, False),
        (answered(200), Plaintext.REDIRECT, False),
        (Reply(ASKED, Verdict.REFUSED), Plaintext.REDIRECT, False),
    ],
)
def test_plain_http(reply: Reply, promised: Plaintext, right: bool) -> None:
    assert (trouble(reply, promised) == "") is right


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answered(401, server="istio-envoy"), ""),
        (answered(403, server="istio-envoy"), ""),
        (answered(200), "let in: HTTP 200"),
        (answered(404), "let in: HTTP 404"),
        (answered(401, server="uvicorn"), "all the way"),
        (Reply(ASKED, Verdict.RESET), "not answered"),
    ],
)
def test_a_demand_for_a_token(reply: Reply, words: str) -> None:
    found = refused(reply)
    assert words in found
    assert bool(found) is bool(words)


def test_headers_tell_nothing_of_pods() -> None:
    pod: dict[str, Any] = {"metadata": {"name": "server-1"}, "status": {"podIPs": [{"ip": "192.0.2.7"}]}}
    assert leaks({"server": "istio-envoy", "date": "today"}, [pod]) == []
    assert leaks({"x-up": "192.0.2.7:8000", "x-pod": "server-1"}, [pod]) == [
        "x-up: '192.0.2.7:8000' has the address of a pod (server-1)",
        "x-pod: 'server-1' has the name of pod server-1",
    ]
    assert leaks({"x-up": "192.0.2.7:8000"}, [{"metadata": {"name": "young"}}]) == []
