"""Which requests the endpoint picker gets, and which go past it: told by its own counter."""

from functools import partial

import pytest

from tools.cases.capabilities import EXCLUSIVE, FORWARD
from tools.explain import bullets, check
from tools.faults import foreign, pool, routes, routing, workload
from tools.kube.llm_service import LlmService
from tools.metrics import counting
from tools.openai.client import Client
from tools.openai.fingerprint import PICKER, SERVER, identify
from tools.route.answers import Right, Row, expect_rows
from tools.route.expected import picked_paths
from tools.route.reading import installed
from tools.route.suspects import suspects
from tools.secret import Secret

_PAST = ("/v1/models", "/health", "/version", "/metrics")


@pytest.mark.conformance(
    name="route-asks-the-picker",
    level="core",
    requires=[EXCLUSIVE, FORWARD],
    fault=[
        routing.route_past_the_pool.shows("/v1/completions", "counted 0 rather than 1"),
        routes.responses_removed.shows("/v1/responses", "counted 0 rather than 1"),
        pool.picker_stopped.shows("there is no picker pod"),
        routing.destination_rule_removed.shows("there is no DestinationRule"),
        foreign.exact_path_taken.shows("/v1/chat/completions", "counted 0 rather than 1"),
        foreign.second_service.shows("istio#61594"),
    ],
    checks=["picker"],
)
def test_asks_the_picker(service: LlmService, client: Client, metrics_token: Secret) -> None:
    """Each request that has a model, on each path that KServe's version routes so, is one more at the service's picker.

    A 200 does not show it: without a picker, or with another service's, requests are answered all the same.
    """
    there = installed(service)
    paths = picked_paths(there.minors[0]) or picked_paths("0.17")
    wrong: list[str] = []
    before = counting.count(service, metrics_token)
    service.pickers()
    for path in paths:
        reply = client.post(path, _body(path, client.model))
        after = counting.count(service, metrics_token)
        picked = sum(counting.moved(before.picked, after.picked).values())
        who = identify(reply).who
        # A server need not have each API; that it was asked, or the picker refused, is what is promised here.
        if picked != 1 or who not in (SERVER, PICKER) or reply.status >= 500:
            wrong.append(f"{path}: the picker counted {picked:.0f} rather than 1; {reply.summary}; answered by {who}")
        before = after
    check(
        not wrong,
        f"one request on each of {', '.join(paths)} to be one at the service's picker",
        bullets(wrong),
        cause=_cause(service),
        next_step=service.kubectl("get", "pods,destinationrules.networking.istio.io,httproutes", "-o", "wide"),
    )


@pytest.mark.conformance(
    name="route-spares-the-picker",
    level="core",
    requires=[EXCLUSIVE, FORWARD],
    fault=[
        routes.everything_picked.shows("went through the picker"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["picker"],
)
def test_spares_the_picker(service: LlmService, client: Client, metrics_token: Secret) -> None:
    """Models, health, version and metrics go straight to the servers: they have no model, and a picker refuses them."""
    before = counting.count(service, metrics_token)
    right = (Right(SERVER, (200,)),)
    rows = [Row(f"GET {path}", partial(client.get, path), right) for path in _PAST]
    replies = expect_rows(rows, "a 200 of the servers for each path that has no model")
    after = counting.count(service, metrics_token)
    picked = sum(counting.moved(before.picked, after.picked).values())
    marked = [path for path, reply in zip(_PAST, replies, strict=True) if identify(reply).through_picker]
    check(
        not picked and not marked,
        f"none of {', '.join(_PAST)} to go through the picker",
        f"{', '.join(marked) or 'by the answers none'} went through the picker, which counted {picked:.0f}",
        cause="the catch-all rule of the route leads to the pool: KServe 0.16 has it so, 0.17 and later lead it to the"
        " Service",
        next_step=service.kubectl("get", "httproutes.gateway.networking.k8s.io", "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="route-reaches-its-own-servers",
    level="core",
    requires=[EXCLUSIVE, FORWARD],
    fault=[
        foreign.exact_path_taken.shows("own servers counted 2 of 4", "-foreign takes Exact"),
        foreign.taken_from_another_namespace.shows("own servers counted", "-elsewhere/"),
        workload.used_by_somebody_else.shows("own servers counted"),
    ],
    checks=["gateway"],
)
def test_reaches_its_own_servers(service: LlmService, client: Client) -> None:
    """What the service is asked is counted by its own servers, each request once: nobody else answers in its name.

    An answer with the right model, of a server that is not the service's, looks as good as any.
    """
    before = counting.finished_by_pod(service)
    replies = [ask() for ask in (client.complete, client.chat) * 2]
    finished = counting.moved(before, counting.finished_by_pod(service))
    counted, bad = sum(finished.values()), [reply for reply in replies if reply.status != 200]
    check(
        not bad and counted == len(replies),
        f"{len(replies)} requests, answered with 200 and counted by the servers of {service.name}",
        f"its own servers counted {counted:.0f} of {len(replies)} ({finished}); answers are"
        f" {[reply.status for reply in replies]}",
        cause=bullets(suspects(service)) or "somebody else uses the service, or answers in its name",
        next_step=service.kube.kubectl("get", "httproutes.gateway.networking.k8s.io", "--all-namespaces"),
    )


def _body(path: str, model: str) -> dict[str, object]:
    """A small request of the API that has this path."""
    messages = [{"role": "user", "content": "Say a word."}]
    bodies: dict[str, dict[str, object]] = {
        "/v1/completions": {"prompt": "The gate opens", "max_tokens": 2},
        "/v1/chat/completions": {"messages": messages, "max_tokens": 2},
        "/v1/responses": {"input": "Say a word.", "max_output_tokens": 16},
        "/v1/messages": {"messages": messages, "max_tokens": 2},
    }
    return {"model": model, **bodies[path]}


def _cause(service: LlmService) -> str:
    return bullets(suspects(service)) or (
        "somebody else uses the service, or the picker was not asked: nothing is seen to be wrong with route,"
        " DestinationRule and picker"
    )
