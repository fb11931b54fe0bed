"""Who answered, told from status, headers and body."""

import pytest

from tools.openai.fingerprint import GATEWAY, NOBODY, PICKER, SERVER, SIDECAR, identify
from tools.openai.reply import Reply, Request, Transport

_ENVOY = {"server": "istio-envoy"}
_UPSTREAM = {"server": "istio-envoy", "x-envoy-upstream-service-time": "3"}
_MODEL_404 = '{"error":{"message":"The model `x` does not exist.","type":"NotFoundError"}}'


@pytest.mark.parametrize(
    ("status", "headers", "body", "who", "cause"),
    [
        (404, _ENVOY, "", GATEWAY, "no route matches"),
        (404, _UPSTREAM, '{"detail":"Not Found"}', SERVER, "unrewritten"),
        (404, _UPSTREAM, _MODEL_404, SERVER, "not served"),
        (403, _UPSTREAM, "RBAC: access denied", SIDECAR, "AuthorizationPolicy"),
        (400, _ENVOY, "inference error: BadRequest - model not found in request body", PICKER, "not an OpenAI request"),
        (503, _ENVOY, "failed to find candidate pods for serving the request", PICKER, "no ready pod"),
        (503, _ENVOY, "failed to find endpoint candidates for serving the request", PICKER, "no ready pod"),
        (500, _ENVOY, "", GATEWAY, "ext_proc"),
        (503, _ENVOY, "no healthy upstream", GATEWAY, "no ready endpoint"),
        (503, _ENVOY, "upstream connect error … TLS error: … WRONG_VERSION_NUMBER", GATEWAY, "plaintext port"),
        (503, _ENVOY, "upstream connect error or disconnect/reset before headers", GATEWAY, "did not take"),
        (504, _ENVOY, "upstream request timeout", GATEWAY, "timeout"),
        (200, _UPSTREAM, "{}", SERVER, ""),
        (418, _ENVOY, "?", GATEWAY, ""),
        (200, {}, "hello", "not recognised", ""),
        (404, {}, "", "not recognised", ""),
        (404, {"server": "nginx"}, "", "not recognised", ""),
        (404, _UPSTREAM, "", SERVER, ""),
        (500, {"server": "awselb/2.0"}, "", "not recognised", ""),
    ],
)
def test_answers(status: int, headers: dict[str, str], body: str, who: str, cause: str) -> None:
    found = identify(Reply(Request("GET", "http://a/", {}), Transport.COMPLETE, status, headers, body))
    assert found.who == who
    assert cause in found.cause


@pytest.mark.parametrize("transport", [each for each in Transport if each is not Transport.COMPLETE])
def test_no_answer_has_a_cause(transport: Transport) -> None:
    found = identify(Reply(Request("GET", "http://a/", {}), transport))
    assert found.who == NOBODY
    assert found.cause
