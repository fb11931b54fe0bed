"""Who answered, told from status, headers and body."""

import pytest

from tools.openai.fingerprint import (
    GATEWAY,
    LOAD_BALANCER,
    NOBODY,
    PICKER,
    PROXY,
    SERVER,
    SIDECAR,
    UNKNOWN,
    Fingerprint,
    identify,
)
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict

_ENVOY = {"server": "istio-envoy"}
_UPSTREAM = {"server": "istio-envoy", "x-envoy-upstream-service-time": "3"}
_STREAM = _UPSTREAM | {"content-type": "text/event-stream; charset=utf-8"}
_UVICORN = {"server": "uvicorn"}
_GOOGLE = {"via": "1.1 google"}
_MODEL_404 = '{"error":{"message":"The model `x` does not exist.","type":"NotFoundError"}}'
_CONTEXT_400 = '{"error":{"message":"This model\'s maximum context length is 2048 tokens."}}'
_CONNECT = "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: "


def _identified(
    status: int, headers: dict[str, str] | None = None, body: str = "", seconds: float = 0.1
) -> Fingerprint:
    return identify(Reply(Request("GET", "http://a/", {}), Verdict.HTTP, status, headers or {}, body, seconds))


@pytest.mark.parametrize(
    ("status", "headers", "body", "who", "cause"),
    [
        (404, _ENVOY, "", GATEWAY, "no route matches"),
        (404, _UPSTREAM, '{"detail":"Not Found"}', SERVER, "unrewritten"),
        (404, _UPSTREAM, _MODEL_404, SERVER, "not served"),
        # Answered before Envoy had sent the whole request: it told no service time.
        (405, _ENVOY | {"content-type": "application/json"}, '{"detail":"Method Not Allowed"}', SERVER, ""),
        (400, _UPSTREAM, _CONTEXT_400, SERVER, "right for a prompt that is too long"),
        (400, _UVICORN, "[{'type': 'missing', 'loc': ('body',), 'msg': 'Field required'}]", SERVER, "another body"),
        (500, _ENVOY, "", GATEWAY, "ext_proc"),
        (503, _ENVOY, "no healthy upstream", GATEWAY, "no ready endpoint"),
        (503, _ENVOY, "upstream connect error … TLS error: … WRONG_VERSION_NUMBER", GATEWAY, "plaintext port"),
        (503, _ENVOY, "upstream connect error … CERTIFICATE_VERIFY_FAILED", GATEWAY, "CA that its DestinationRule"),
        (503, _ENVOY, "TLS error: Secret is not supplied by SDS", GATEWAY, "not mounted"),
        (503, _ENVOY, "upstream connect error or disconnect/reset before headers", GATEWAY, "did not take"),
        (503, _ENVOY, _CONNECT + "remote connection failure … delayed connect error: 111", GATEWAY, "wrong targetPort"),
        (503, _ENVOY, _CONNECT + "connection timeout", GATEWAY, "NetworkPolicy drops"),
        (503, _UPSTREAM, _CONNECT + "delayed connect error: 111", SIDECAR, "did not take the connection"),
        (502, _ENVOY, _CONNECT + "protocol error", GATEWAY, "mTLS does not match"),
        (200, _UPSTREAM, "{}", SERVER, ""),
        (404, _UPSTREAM, "", SERVER, ""),
        (418, _ENVOY, "?", GATEWAY, ""),
    ],
)
def test_gateway_sidecar_and_server(status: int, headers: dict[str, str], body: str, who: str, cause: str) -> None:
    found = _identified(status, headers, body)
    assert found.who == who
    assert cause in found.cause


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (400, "inference error: BadRequest - model not found in request body", "not an OpenAI request"),
        (400, "inference error: BadRequest - prompt not found in request", "not an OpenAI request"),
        (400, "inference error: BadRequest - invalid request body", "not an OpenAI request"),
        (400, "invalid completions request: must have prompt field", "not an OpenAI request"),
        (400, "Error unmarshaling request body: unexpected end of JSON input", "lost before the picker"),
        (503, "failed to find candidate pods for serving the request", "no ready pod"),
        (503, "failed to find endpoint candidates for serving the request", "no ready pod"),
        (500, "inference error: Internal - no pods available in datastore", "no ready pod"),
        (503, "inference error: ServiceUnavailable - request timed out in queue: …", "for longer than it may wait"),
        (429, "inference error: … system saturated, sheddable request dropped", "saturated"),
        (500, "inference error: Internal - what it says", "in its own words"),
    ],
)
def test_picker(status: int, body: str, cause: str) -> None:
    found = _identified(status, _ENVOY, body)
    assert found.who == PICKER
    assert cause in found.cause


def test_picker_says_why_it_dropped_a_request() -> None:
    found = _identified(503, _ENVOY | {"x-llm-d-request-dropped-reason": "ttl-expired"})
    assert (found.who, found.cause) == (PICKER, "the picker dropped it, and says why: ttl-expired")


@pytest.mark.parametrize(
    "mark", [{"x-went-into-resp-headers": "true"}, {"x-gateway-destination-endpoint-served": "10.0.0.7:8000"}]
)
def test_marks_of_the_picker_prove_that_it_was_asked(mark: dict[str, str]) -> None:
    found = _identified(200, _UPSTREAM | mark, "{}")
    assert (found.who, found.through_picker) == (SERVER, True)
    assert str(found) == "the model server, through the picker"
    assert str(_identified(200, _UPSTREAM, "{}")) == "the model server"


@pytest.mark.parametrize(
    ("status", "headers", "body", "who", "cause"),
    [
        (403, _UPSTREAM, "RBAC: access denied", SIDECAR, "AuthorizationPolicy of the servers"),
        (403, _ENVOY, "RBAC: access denied", GATEWAY, "AuthorizationPolicy at the gateway"),
        (403, _ENVOY, "", GATEWAY, "external authorizer"),
        (401, _ENVOY | {"www-authenticate": 'Bearer realm="x"'}, "Jwt is expired", GATEWAY, "RequestAuthentication"),
        (401, _ENVOY | {"www-authenticate": "Bearer"}, "", GATEWAY, "--token-env"),
        (403, {"www-authenticate": "Bearer"}, "", UNKNOWN, "--token-env"),
        (401, _UPSTREAM, '{"error":"Unauthorized"}', SERVER, "--api-key"),
        (401, {}, "who are you?", UNKNOWN, "wants a token"),
        (403, _ENVOY | {"x-ext-auth-reason": "not allowed here"}, "", GATEWAY, "(Authorino): not allowed here"),
    ],
)
def test_who_may_ask(status: int, headers: dict[str, str], body: str, who: str, cause: str) -> None:
    found = _identified(status, headers, body)
    assert found.who == who
    assert cause in found.cause


@pytest.mark.parametrize(
    ("status", "headers", "body", "who", "cause"),
    [
        (404, _GOOGLE, "fault filter abort", GATEWAY, "unresolved"),
        (404, _GOOGLE, "default backend - 404", LOAD_BALANCER, "GKE's default backend"),
        (404, {}, "response 404 (backend NotFound), service rules for [ / ] non-existent", LOAD_BALANCER, "no route"),
        (502, {}, "<title>502 Server Error</title>", LOAD_BALANCER, "HealthCheckPolicy"),
        (404, _GOOGLE | _UVICORN, '{"detail":"Not Found"}', SERVER, "unrewritten"),
        (200, _GOOGLE | _UVICORN, "{}", SERVER, ""),
        (503, _GOOGLE, "no healthy upstream", GATEWAY, "no ready endpoint"),
        (418, _GOOGLE, "", LOAD_BALANCER, ""),
        (503, {"server": "awselb/2.0"}, "<h1>503 Service Temporarily Unavailable</h1>", LOAD_BALANCER, ""),
        (503, {}, "<h1>Application is not available</h1>", LOAD_BALANCER, "OpenShift's router has no route"),
        (503, {}, "No server is available to handle this request.", LOAD_BALANCER, "HAProxy"),
        (502, {}, "The server returned an invalid or incomplete response.", LOAD_BALANCER, "cut off by its backend"),
        (407, {}, "", PROXY, "password"),
        (503, {"x-squid-error": "ERR_CONNECT_FAIL 111"}, "<html>", PROXY, "cannot reach the gateway"),
        (404, {"server": "nginx"}, "", UNKNOWN, ""),
        (200, {}, "hello", UNKNOWN, ""),
    ],
)
def test_load_balancers_and_proxies(status: int, headers: dict[str, str], body: str, who: str, cause: str) -> None:
    found = _identified(status, headers, body)
    assert found.who == who
    assert cause in found.cause


@pytest.mark.parametrize(
    ("status", "headers", "body", "cause"),
    [
        (413, _ENVOY, "Payload Too Large", "the body is larger"),
        (431, _ENVOY, "", "the headers are larger"),
        (429, _ENVOY | {"x-envoy-ratelimited": "true"}, "", "a rate limit"),
        (429, _ENVOY, "local_rate_limited", "a rate limit"),
    ],
)
def test_sizes_and_rates(status: int, headers: dict[str, str], body: str, cause: str) -> None:
    found = _identified(status, headers, body)
    assert found.who == GATEWAY
    assert cause in found.cause


@pytest.mark.parametrize(
    ("seconds", "words"), [(15.2, "Envoy's default"), (30.0, "OpenShift's router"), (59.7, "AWS"), (42.0, "")]
)
def test_timeout_is_named_by_its_length(seconds: float, words: str) -> None:
    found = _identified(504, _ENVOY, "upstream request timeout", seconds)
    assert found.who == GATEWAY
    assert "shorter than the answer" in found.cause
    assert words in found.cause
    assert bool(words) == ("default" in found.cause)


@pytest.mark.parametrize(
    ("headers", "body", "cause"),
    [
        (_UPSTREAM, '{"error": {"message": "out of memory", "code": 500}}', "an error inside a 200: out of memory"),
        (_UPSTREAM, '{"object": "error", "message": "too long"}', "an error inside a 200: too long"),
        (_UPSTREAM, '{"error": "plain"}', "an error inside a 200: plain"),
        (_STREAM, 'data: {"choices": []}\n\ndata: {"error": {"message": "died"}}\n\n', "an error inside a 200: died"),
        (_STREAM, 'data: {"choices": []}\n\n', "ends without [DONE]"),
        (_STREAM | {"content-length": "14"}, "data: [DONE]\n\n", "collected the stream"),
        (_STREAM, 'data: {"choices": []}\n\ndata: [DONE]\n\n', ""),
        (_UPSTREAM, '{"choices": [{"text": "an \\"error\\" is no error"}]}', ""),
    ],
)
def test_trouble_inside_a_200(headers: dict[str, str], body: str, cause: str) -> None:
    found = _identified(200, headers, body)
    assert found.who == SERVER
    assert cause in found.cause
    assert bool(cause) == bool(found.cause)


@pytest.mark.parametrize("verdict", [each for each in Verdict if each not in (Verdict.HTTP, Verdict.ALLOWED)])
def test_no_answer_has_a_cause(verdict: Verdict) -> None:
    found = identify(Reply(Request("GET", "http://a/", {}), verdict))
    assert found.who == NOBODY
    assert found.cause


@pytest.mark.parametrize(
    ("verdict", "problem", "cause"),
    [
        (Verdict.DROPPED, "ConnectTimeout: timed out", "packets are dropped"),
        (Verdict.DROPPED, "ReadTimeout: timed out", "the connection was taken"),
        (Verdict.RESET, "RemoteProtocolError: …, after HTTP 200 and 17 bytes of its body", "in the middle"),
        (Verdict.RESET, "ReadError: …", "plaintext met TLS"),
        (Verdict.UNTRUSTED, "ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] …", "--ca-file"),
        (Verdict.UNTRUSTED, "ConnectError: [SSL: WRONG_VERSION_NUMBER] …", "https in place of http"),
        (Verdict.PROBE_FAILED, "ProxyError: 403 Forbidden", "the service was not asked"),
    ],
)
def test_no_answer_is_told_apart(verdict: Verdict, problem: str, cause: str) -> None:
    assert cause in identify(Reply(Request("GET", "http://a/", {}), verdict, problem=problem)).cause
