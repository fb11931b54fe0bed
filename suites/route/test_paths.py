"""Which requests reach the service, and which must not."""

from functools import partial

import pytest

from tools.faults import foreign, routes, routing, workload
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.expect import expect_status
from tools.openai.fingerprint import GATEWAY, PICKER, SERVER
from tools.openai.reply import Reply, Request
from tools.route.answers import Right, Row, expect_rows

_REFUSED = (Right(GATEWAY, (404,)),)
_SERVED = (Right(SERVER, (200,)),)
# What a server does with a path of its own that it does not have; FastAPI redirects one with a slash too many.
_BY_SERVER = (Right(SERVER, (200, 307, 404)),)


@pytest.mark.conformance(
    name="route-unknown-path-is-refused",
    level="core",
    fault=[
        routing.every_path_routed.shows("answered by the model server"),
        workload.servers_stopped.shows("as a control", "HTTP 503"),
        routes.hostnames_added.shows("as a control", "no route matches"),
    ],
    checks=["gateway"],
)
def test_unknown_path_is_answered_by_the_gateway(service: LlmService, root_client: Client) -> None:
    """A path that no route has is the gateway's own 404: nothing behind it is reached by chance."""
    _expect_way_to_service(service, root_client)
    expect_status(root_client.get("/no/such/service/v1/models"), 404, "a path without a route", by=GATEWAY)


@pytest.mark.conformance(
    name="route-bare-path-is-refused",
    level="core",
    fault=[
        routing.every_path_routed.shows("/v1/models", "a route of this service or of another matches more"),
        routes.emptied.shows("as a control"),
    ],
    checks=["gateway"],
)
def test_bare_path_is_answered_by_the_gateway(service: LlmService, root_client: Client) -> None:
    """`/v1/…` at the Gateway's root, without the header that names a model, is the gateway's own 404.

    Documents that have clients ask there, with or without a Host header, are wrong: the service is at status.url.
    """
    _expect_way_to_service(service, root_client)
    rows = [
        Row("GET /v1/models", partial(root_client.get, "/v1/models"), _REFUSED),
        Row("GET /", partial(root_client.get, "/"), _REFUSED),
        Row("POST /v1/completions", root_client.complete, _REFUSED),
        Row("POST /v1/chat/completions", root_client.chat, _REFUSED),
    ]
    expect_rows(rows, f"the gateway's 404 for bare paths: the service is at {service.url}")


@pytest.mark.conformance(
    name="route-longer-name-is-refused",
    level="core",
    fault=routing.every_path_routed.shows("answered by the model server", "-canary"),
    checks=["gateway"],
)
def test_longer_name_is_not_the_service(service: LlmService, root_client: Client) -> None:
    """A path that only looks like the service's is not: prefixes match whole segments, in their own case."""
    _expect_way_to_service(service, root_client)
    namespace, name = service.namespace, service.name
    paths = [
        f"/{namespace}/{name}-canary/v1/models",
        f"/{namespace}/{name}2/v1/models",
        f"/{namespace}/{name[:-1]}/v1/models",
        f"/{namespace}/{name.upper()}/v1/models",
        f"/{namespace}-x/{name}/v1/models",
        f"/{namespace}/v1/models",
        f"/{name}/v1/models",
        f"/v1/{namespace}/{name}/models",
    ]
    rows = [Row(path, partial(root_client.get, path), _REFUSED) for path in paths]
    expect_rows(rows, f"the gateway's 404 for all that is not below /{namespace}/{name}")


@pytest.mark.conformance(
    name="route-traversal-is-refused",
    level="core",
    fault=routing.every_path_routed.shows("..", "a route of this service or of another matches more"),
    checks=["gateway"],
)
def test_traversal_leads_out(service: LlmService, root_client: Client) -> None:
    """A path that leads out of the service's prefix by dots, plain or encoded, is taken for where it leads: nowhere."""
    _expect_way_to_service(service, root_client)
    prefix = f"/{service.namespace}/{service.name}"
    paths = [
        f"{prefix}/../no-such-service/v1/models",
        f"{prefix}/../../v1/models",
        f"{prefix}/%2e%2e/no-such-service/v1/models",
        f"{prefix}/v1/../../../metrics",
        f"/{service.namespace}%2F{service.name}/v1/models",
    ]
    rows = [Row(path, partial(root_client.get, path), _REFUSED) for path in paths]
    expect_rows(rows, "the gateway's 404 for paths that lead out of the service's prefix")


@pytest.mark.conformance(
    name="route-takes-its-whole-prefix",
    level="core",
    fault=[
        routing.route_deleted.shows("no route matches"),
        routes.rewrites_removed.shows("the path reached the server unrewritten"),
        routes.catch_all_removed.shows("/version", "no route matches"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_takes_its_whole_prefix(service: LlmService, root_client: Client) -> None:
    """Whatever is asked for below the service's prefix is answered by its servers, known paths with 200."""
    prefix = f"/{service.namespace}/{service.name}"
    known = ("/v1/models", "/health", "/version", "/metrics", "/v1/models?unused=1", "/./health")
    unknown = ("", "/", "/no/such/path", "/v1", "/v1/models/", "//v1/models", "/v1/%6dodels")
    rows = [Row(f"GET {prefix}{path}", partial(root_client.get, prefix + path), _SERVED) for path in known]
    rows += [Row(f"GET {prefix}{path}", partial(root_client.get, prefix + path), _BY_SERVER) for path in unknown]
    expect_rows(rows, f"an answer of the servers for every path below {prefix}")


@pytest.mark.conformance(
    name="route-strips-its-prefix",
    level="core",
    fault=[
        routes.rewrites_removed.shows("the path reached the server unrewritten"),
        routes.rewrites_elsewhere.shows("the path reached the server unrewritten"),
    ],
    checks=["gateway"],
)
def test_strips_its_prefix(client: Client) -> None:
    """The server gets the path of its own API, without the service's prefix, on every way that the route has."""
    rows = [
        Row("completions", client.complete, _SERVED),
        Row("chat", client.chat, _SERVED),
        Row("models", client.models, _SERVED),
        Row("health", partial(client.get, "/health"), _SERVED),
    ]
    expect_rows(rows, "answers of the server's API below status.url, which it has at its root")


@pytest.mark.conformance(
    name="route-answers-any-host",
    level="core",
    fault=[
        routes.hostnames_added.shows("no route matches"),
        foreign.taken_for_a_host.shows("Host service.example"),
    ],
    checks=["gateway"],
)
def test_answers_any_host(service: LlmService, client: Client) -> None:
    """The route has no host names: by whatever name the Gateway's listener is asked, the service answers."""
    hosts = _hosts(service)
    rows = [Row(f"Host {host}", partial(_asked_as, client, host), _SERVED) for host in hosts]
    rows.append(Row("the Host of status.url", client.models, _SERVED))
    expect_rows(rows, f"the list of models whatever Host says ({', '.join(hosts)} are names that the listeners take)")


@pytest.mark.conformance(
    name="route-refuses-what-is-no-request",
    level="core",
    fault=[
        routing.destination_rule_removed.shows("answered by the gateway", "endpoint picker (ext_proc) failed"),
        routing.route_deleted.shows("no route matches"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_refuses_what_is_no_request(client: Client) -> None:
    """A request that the API does not have is refused by picker or server with a 4xx, never by a broken gateway."""
    json_type = {"Content-Type": "application/json"}
    completions = f"{client.base_url}/v1/completions"
    refused = (Right(SERVER, (400, 404, 405, 415, 422)), Right(PICKER, (400, 404, 405, 413, 415, 422)))

    def row(what: str, method: str, url: str, body: str = "", headers: dict[str, str] = json_type) -> Row:
        return Row(what, partial(client.send, Request(method, url, headers, body)), refused)

    rows = [
        row("no JSON", "POST", completions, "{"),
        row("no body", "POST", completions),
        row("no prompt", "POST", completions, f'{{"model": "{client.model}"}}'),
        row("no model", "POST", completions, "[]"),
        row("GET of completions", "GET", completions),
        row("DELETE of completions", "DELETE", completions),
        row("POST of models", "POST", f"{client.base_url}/v1/models", "{}"),
        row("plain text", "POST", completions, "The gate opens", {"Content-Type": "text/plain"}),
    ]
    expect_rows(rows, "a 4xx of picker or server for what is no request of the API")
    expect_status(client.complete(), 200, "a good completion afterwards", by=SERVER)


def _expect_way_to_service(service: LlmService, root_client: Client) -> None:
    """The control of a 404: the same client reaches the service by its own path, so the gateway knows its route."""
    __tracebackhide__ = True
    own = root_client.get(f"/{service.namespace}/{service.name}/v1/models")
    expect_status(own, 200, "the service's own path, as a control", by=SERVER)


def _asked_as(client: Client, host: str) -> Reply:
    return client.get("/v1/models", {"Host": host})


def _hosts(service: LlmService) -> list[str]:
    """A name for each listener of the Gateway that it takes; any name where it has none."""
    listeners = service.read_gateway()["spec"]["listeners"]
    named = [str(each.get("hostname", "")).replace("*", "service") for each in listeners]
    return list(dict.fromkeys(each or "service.example" for each in named))
