"""Faults in how the Gateway's proxies handle HTTP."""

from collections.abc import Callable, Iterator

from tools.explain import Violation
from tools.faults.common import answers
from tools.faults.envoy import filtered, lua, manager
from tools.faults.fault import fault
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply
from tools.openai.wire import Seen, Wire

_BUFFERED = """
function envoy_on_response(handle)
  handle:body()
  handle:headers():add("x-held-back", "yes")
end
"""
_NO_EXPECT = """
function envoy_on_request(handle)
  if handle:headers():get("expect") ~= nil then
    handle:respond({[":status"] = "417"}, "")
  end
end
"""
_DISGUISED = """
function envoy_on_response(handle)
  local status = tonumber(handle:headers():get(":status"))
  if status >= 400 then
    handle:headers():replace(":status", "500")
    handle:headers():replace("x-disguised", "yes")
  end
end
"""


@fault(breaks_gateway=True)
def responses_buffered(service: LlmService) -> Iterator[None]:
    """The proxies collect each answer before they pass it on."""
    with filtered(
        service, "responses_buffered", [lua(_BUFFERED)], answers(service, Client.models, _has("x-held-back"))
    ):
        yield


@fault(breaks_gateway=True)
def expectation_refused(service: LlmService) -> Iterator[None]:
    """The proxies refuse requests that expect to be told to go on."""

    def ask(client: Client) -> Reply:
        return client.complete(headers={"Expect": "100-continue"})

    with filtered(
        service, "expectation_refused", [lua(_NO_EXPECT)], answers(service, ask, lambda it: it.status == 417)
    ):
        yield


@fault(breaks_gateway=True)
def errors_disguised(service: LlmService) -> Iterator[None]:
    """The proxies make every error a 500."""

    def ask(client: Client) -> Reply:
        return client.get("/v1/no-such-endpoint")

    with filtered(service, "errors_disguised", [lua(_DISGUISED)], answers(service, ask, lambda it: it.status == 500)):
        yield


@fault(breaks_gateway=True)
def upstreams_told(service: LlmService) -> Iterator[None]:
    """The proxies tell clients which pod answered."""
    header = {"header": {"key": "x-upstream", "value": "%UPSTREAM_HOST%"}}
    patch = {
        "applyTo": "ROUTE_CONFIGURATION",
        "match": {"context": "GATEWAY"},
        "patch": {"operation": "MERGE", "value": {"response_headers_to_add": [header]}},
    }
    with filtered(service, "upstreams_told", [patch], answers(service, Client.models, _has("x-upstream"))):
        yield


@fault(breaks_gateway=True)
def headers_limited(service: LlmService) -> Iterator[None]:
    """The proxies take 2 KiB of headers."""

    def ask(client: Client) -> Reply:
        return client.get("/v1/models", {"X-Long": "x" * 3000})

    with filtered(
        service,
        "headers_limited",
        [manager(max_request_headers_kb=2)],
        answers(service, ask, lambda it: it.status == 431),
    ):
        yield


@fault(breaks_gateway=True)
def http2_switched_off(service: LlmService) -> Iterator[None]:
    """The proxies speak HTTP/1.1 only."""
    with filtered(
        service,
        "http2_switched_off",
        [manager(codec_type="HTTP1")],
        _wires(service, lambda it: it.send("GET", "/v1/models"), lambda it: it.status != 200, http2=True),
    ):
        yield


@fault(breaks_gateway=True)
def connections_not_kept(service: LlmService) -> Iterator[None]:
    """The proxies close a connection after one request."""
    with filtered(
        service,
        "connections_not_kept",
        [manager(common_http_protocol_options={"max_requests_per_connection": 1})],
        answers(service, Client.models, lambda it: it.headers.get("connection", "").lower() == "close"),
    ):
        yield


def _wires(
    service: LlmService, ask: Callable[[Wire], Seen], wanted: Callable[[Seen], bool], *, http2: bool
) -> Callable[[], None]:
    def shows() -> None:
        wire = Wire(service.connection, service.url, http2=http2)
        try:
            seen = ask(wire)
        finally:
            wire.close()
        if not wanted(seen):
            raise Violation("the fault in effect", seen.summary)

    return shows


def _has(header: str) -> Callable[[Reply], bool]:
    return lambda reply: header in reply.headers
