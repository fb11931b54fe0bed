"""Certificates: with their key, for the right name, by a trusted authority, and not about to end."""

import base64
import datetime as dt
from typing import Any

import pytest

from tools.install.certificates import Issued, issue
from tools.platform.certificates import Pair, not_issued, problems, untrusted

NOW = dt.datetime.now(dt.UTC)
NAME = "webhook.kserve.svc"
PAIR = Pair("Secret kserve/cert")


def secret(issued: Issued, **other: bytes) -> dict[str, Any]:
    data = {"tls.crt": issued.certificate, "tls.key": issued.key} | {
        key.replace("_", "."): value for key, value in other.items()
    }
    return {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}}


def aged(left: float, age: float) -> Issued:
    return issue([NAME], lifetime=dt.timedelta(days=left), age=dt.timedelta(days=age))


def test_a_good_one_has_no_problems() -> None:
    assert problems(secret(issue([NAME])), PAIR, NOW, [NAME]) == []


@pytest.mark.parametrize(
    ("left", "age", "words"),
    [
        (5, 60, "expires on"),
        (29, 365, "was not renewed"),
        # Of a day's life a third is eight hours.
        (0.2, 0.8, "expires on"),
        (-1, 60, "expired on"),
    ],
)
def test_one_that_ends_soon_is_told(left: float, age: float, words: str) -> None:
    (line,) = problems(secret(aged(left, age)), PAIR, NOW)
    assert words in line


@pytest.mark.parametrize(("left", "age"), [(31, 365), (0.5, 0.4), (20, 25)])
def test_one_that_is_renewed_in_time_is_not(left: float, age: float) -> None:
    assert problems(secret(aged(left, age)), PAIR, NOW) == []


def test_what_is_missing_or_does_not_fit_is_told() -> None:
    good, other = issue([NAME]), issue(["another.svc"])
    assert problems(None, PAIR, NOW) == ["Secret kserve/cert is not there"]
    assert problems({"data": {}}, PAIR, NOW) == ["Secret kserve/cert has no tls.crt and no tls.key"]
    assert problems(secret(other), PAIR, NOW, [NAME]) == [f"Secret kserve/cert is for another.svc, not for {NAME}"]
    assert "the key is not that of" in problems(secret(good, tls_key=other.key), PAIR, NOW)[0]
    assert "cannot be read" in problems(secret(good, tls_crt=b"no certificate"), PAIR, NOW)[0]
    future = issue([NAME], age=dt.timedelta(days=-1))
    assert "is valid from" in problems(secret(future), PAIR, NOW)[0]


def test_an_authority_that_did_not_issue_it_is_told() -> None:
    good, other = issue([NAME]), issue([NAME])

    def bundle(*found: bytes) -> str:
        return base64.b64encode(b"".join(found)).decode()

    assert untrusted(secret(good), bundle(good.authority)) == ""
    assert untrusted(secret(good), bundle(other.authority, good.authority)) == ""
    assert untrusted(secret(good), bundle(good.certificate)) == ""
    assert "did not issue" in untrusted(secret(good), bundle(other.authority))
    assert untrusted(secret(good), "") == "it has no caBundle"
    assert "cannot be read" in untrusted(secret(good), bundle(b"nothing"))


def test_certificates_that_are_not_ready_are_told_and_those_of_nobody_are_not() -> None:
    def certificate(*conditions: dict[str, str]) -> dict[str, Any]:
        return {"metadata": {"name": "c", "namespace": "kserve"}, "status": {"conditions": list(conditions)}}

    failing = {"type": "Ready", "status": "False", "reason": "IssuerNotFound", "message": "no issuer"}
    ready = {"type": "Ready", "status": "True"}
    found = [certificate(failing), certificate(ready), {"metadata": {"name": "d", "namespace": "kserve"}}]
    assert not_issued(found) == ["Certificate kserve/c: Ready is False (IssuerNotFound: no issuer)"]
