"""HTTP through the Gateway as clients and their libraries use it."""

from collections.abc import Callable, Iterator

import pytest

from tools.explain import Violation, bullets, check
from tools.faults import gateway as of_gateway
from tools.faults import http as faults
from tools.faults import server
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.openai.expect import expect_status, violation
from tools.openai.fingerprint import GATEWAY, PICKER, SERVER
from tools.openai.leaks import leaks
from tools.openai.wire import Seen, Wire, curl

_REQUESTS = 20
# At the simulator's pace they take a second, at a real server's several; whoever buffers gives all of them at once.
_TOKENS = 200
# Much less than that, and much more than the reading of what has come.
_APART = 0.05
# Tokens of identity providers are of this size, with many groups in them.
_LONG = 6000
# Envoy takes 60 KiB of headers.
_TOO_LONG = 100_000


@pytest.fixture
def wire(service: LlmService, client: Client) -> Iterator[Callable[..., Wire]]:
    """Makes clients that keep their connections; closed after the case."""
    made: list[Wire] = []

    def make(*, http2: bool = False) -> Wire:
        made.append(Wire(service.connection, client.base_url, http2=http2))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.conformance(
    name="gateway-streams-unbuffered",
    level="core",
    fault=[
        faults.responses_buffered.shows("came at once", "buffers"),
        server.streams_in_one_piece.shows("came at once"),
        of_gateway.access_denied.shows("403"),
    ],
    checks=["gateway"],
)
def test_streams_unbuffered(client: Client, wire: Callable[..., Wire]) -> None:
    """A streamed answer is passed on as it is made: parts apart in time, an event stream, of no stated length."""
    seen = wire().complete(stream=True, max_tokens=_TOKENS, ignore_eos=True)
    _expect(seen, client)
    kind, length = seen.headers.get("content-type", ""), seen.headers.get("content-length")
    wrong = [] if kind.startswith("text/event-stream") else [f"content-type is {kind or 'unsaid'}"]
    wrong += [f"content-length is {length}: somebody had all of it before he passed it on"] if length else []
    first, last = seen.parts[0].at, seen.parts[-1].at
    wrong += (
        []
        if len(seen.parts) > 2 and last - first > _APART
        else [f"{len(seen.parts)} parts came at once, {1000 * (last - first):.0f} ms apart, after {first:.2f} s"]
    )
    check(
        not wrong,
        f"{_TOKENS} tokens as server-sent events that arrive one after the other",
        bullets(wrong),
        cause="something on the way buffers: an EnvoyFilter, the picker's ext_proc in mode BUFFERED, or a proxy",
        next_step=curl(client, "-N"),
    )


@pytest.mark.conformance(
    name="gateway-speaks-http2",
    level="core",
    fault=faults.http2_switched_off.shows("HTTP/2"),
    checks=["gateway"],
)
def test_speaks_http2(client: Client, wire: Callable[..., Wire]) -> None:
    """A client that speaks HTTP/2 from the start is answered in it, as proxies in front of it expect."""
    seen = wire(http2=True).complete()
    _expect(seen, client, "a completion over HTTP/2", "--http2-prior-knowledge")
    check(
        seen.version == "HTTP/2", "an answer in HTTP/2", seen.summary, next_step=curl(client, "--http2-prior-knowledge")
    )


@pytest.mark.conformance(
    name="gateway-keeps-connections",
    level="core",
    fault=faults.connections_not_kept.shows(f"{_REQUESTS} connections"),
    checks=["gateway"],
)
def test_keeps_connections(client: Client, wire: Callable[..., Wire]) -> None:
    """A client that keeps its connection sends all its requests over that one, and each is answered."""
    one = wire()
    seen = [one.send("GET", "/v1/models") for _ in range(_REQUESTS)]
    for each in seen:
        _expect(each, client)
    used = {each.local for each in seen}
    check(
        len(used) == 1,
        f"{_REQUESTS} requests over one connection",
        f"they took {len(used)} connections; the first answer's connection header: "
        f"{seen[0].headers.get('connection', 'none')}",
        cause="the gateway, or a load balancer before it, closes connections (max_requests_per_connection, time-outs)",
        next_step=curl(client, "-o /dev/null", client.base_url + "/v1/models"),
    )


@pytest.mark.conformance(
    name="gateway-takes-long-headers",
    level="core",
    fault=faults.headers_limited.shows("431", "headers are larger"),
    checks=["gateway"],
)
def test_takes_long_headers(client: Client) -> None:
    """Headers and URLs of the length of large tokens reach the server; far longer ones are the gateway's 431."""
    expect_completion(client.complete(headers={"X-Long": "x" * _LONG}), client.model)
    expect_status(client.get(f"/v1/models?q={'x' * _LONG}"), 200, "a URL of 6 KB to reach the server", by=SERVER)
    expect_status(
        client.get("/v1/models", {"X-Too-Long": "x" * _TOO_LONG}), 431, "100 KB of headers to be refused", by=GATEWAY
    )


@pytest.mark.conformance(
    name="gateway-takes-expect-continue",
    level="extended",
    fault=faults.expectation_refused.shows("417"),
    checks=["gateway"],
)
def test_takes_expect(client: Client) -> None:
    """A client that asks before it sends a body (Expect: 100-continue, as curl does for large ones) is answered."""
    expect_completion(client.complete(headers={"Expect": "100-continue"}), client.model)


@pytest.mark.conformance(
    name="gateway-errors-tell-who-answered",
    level="core",
    fault=faults.errors_disguised.shows("answered by", "HTTP 500"),
    checks=["gateway"],
)
def test_errors_tell(client: Client, root_client: Client) -> None:
    """Errors of gateway, picker and server come as their senders made them, so that each tells where to look."""
    expect_status(root_client.get("/no-such-path"), 404, "a path that no route has", by=GATEWAY)
    expect_status(client.post("/v1/completions", "no object"), 400, "a body that is no request", by=PICKER)
    expect_status(client.get("/v1/no-such-endpoint"), 404, "a path that the server does not have", by=SERVER)


@pytest.mark.conformance(
    name="gateway-tells-no-internals",
    level="extended",
    fault=faults.upstreams_told.shows("x-upstream", "address of a pod"),
    checks=["gateway"],
)
def test_tells_no_internals(service: LlmService, client: Client) -> None:
    """Answers tell clients nothing of pods: no header has an address or a name of one."""
    reply = client.complete()
    expect_completion(reply, client.model)
    found = [*service.pods(), *service.picker_pods()]
    # Simulators name themselves, for tests; no release of vLLM does.
    headers = {name: value for name, value in reply.headers.items() if name != "x-inference-pod"}
    if told := leaks(headers, found):
        raise violation(reply, "answers without addresses and names of pods in their headers", bullets(told))


def _expect(seen: Seen, client: Client, promise: str = "an answer", *options: str) -> None:
    __tracebackhide__ = True
    if seen.status != 200 or seen.problem:
        raise Violation(f"{promise}: 200", seen.summary, next_step=curl(client, *options))
