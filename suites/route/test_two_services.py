"""Services that share a Gateway never answer for each other."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fixtures.answering import await_answers
from fixtures.throwaway import Throwaway
from tools.cases.capabilities import FORWARD
from tools.explain import bullets, check
from tools.faults import controllers, rule_names
from tools.kube.kinds import HTTP_ROUTE
from tools.kube.llm_service import LlmService
from tools.manifests import Document
from tools.metrics import counting
from tools.route.expected import expected_rules
from tools.route.reading import installed, routed
from tools.route.suspects import collision, shared_names
from tools.secret import Secret

_REQUESTS = 3

# Changes the second service, given the first.
Second = Callable[[Document, LlmService], None]


# It takes accelerators that other cases need, and counts what others would disturb.
@pytest.mark.alone
@pytest.mark.conformance(
    name="route-services-stay-apart",
    level="core",
    requires=[FORWARD],
    fault=controllers.kserve_stopped.shows("to be Ready"),
    checks=["picker"],
)
def test_services_stay_apart(throwaway: Throwaway, metrics_token: Secret) -> None:
    """Two services on one Gateway, for a model of the same name, each answer what they are asked, and nothing else.

    N requests for one are N at its picker and N at its servers, and none at the other's, and the other way round.
    """
    with _two(throwaway, lambda *_: None) as (one, other):
        _expect_apart(one, other, metrics_token)


# It takes accelerators that other cases need, and counts what others would disturb.
@pytest.mark.alone
@pytest.mark.conformance(
    name="route-names-keep-services-apart",
    level="extended",
    requires=[FORWARD],
    fault=rule_names.own_rules_dropped.shows("istio#61594", "its own picker counted 0"),
    checks=["picker"],
)
def test_names_keep_services_apart(throwaway: Throwaway, metrics_token: Secret) -> None:
    """Two services on one Gateway whose rules have names of their own stay apart: the way round istio#61594."""
    with _two(throwaway, _with_names_of_its_own) as (one, other):
        _expect_apart(one, other, metrics_token)


@contextmanager
def _two(throwaway: Throwaway, second: Second) -> Iterator[tuple[LlmService, LlmService]]:
    """Two services with a server each, on the Gateway of the first."""
    with throwaway("one", _opened, replicas=1) as one:

        def beside(made: list[Document]) -> list[Document]:
            for each in made:
                if each["kind"] == "LLMInferenceService":
                    gateway = {"name": one.gateway.name, "namespace": one.gateway.namespace}
                    each["spec"]["router"]["gateway"] = {"refs": [gateway]}
                    second(each, one)
            return [each for each in made if each["kind"] != "Gateway"]

        with throwaway("two", beside, replicas=1) as found:
            yield one, replace(found, gateway=one.gateway)


def _opened(made: list[Document]) -> list[Document]:
    """A Gateway that takes routes of every namespace."""
    for each in made:
        if each["kind"] == "Gateway":
            for listener in each["spec"]["listeners"]:
                listener["allowedRoutes"] = {"namespaces": {"from": "All"}}
    return made


def _with_names_of_its_own(found: Document, service: LlmService) -> None:
    """State the rules that KServe would make, under other names."""
    there = installed(service)
    mine = replace(service, namespace=found["metadata"]["namespace"], name=found["metadata"]["name"])
    rules = expected_rules(there.minors[-1], routed(found, mine, there.header))
    for rule in rules:
        rule["name"] = f"{rule['name']}-2"
    found["spec"]["router"]["route"] = {"http": {"spec": {"rules": rules}}}


def _expect_apart(one: LlmService, other: LlmService, token: Secret) -> None:
    __tracebackhide__ = True
    # Each has its moment to reach the gateway, which is no promise of this case.
    for service in (one, other):
        answering = await_answers(service.connection, service.url)
        if answering.problem is not None:
            raise answering.problem
    lines = [*_crossed(one, other, token), *_crossed(other, one, token)]
    routes = [one.child("route"), other.child("route")]
    check(
        not lines,
        f"{_REQUESTS} requests for each to be {_REQUESTS} at its own picker and servers, and none at the other's",
        bullets(lines),
        cause=bullets(collision(shared_names(routes, routes[0], one.gateway)))
        or "a pool, a route or a DestinationRule of one leads to the other",
        next_step=one.kube.kubectl("get", HTTP_ROUTE.resource, "--all-namespaces", "-o", "yaml"),
    )


def _crossed(asked: LlmService, idle: LlmService, token: Secret) -> list[str]:
    """What became of requests for one of two services elsewhere than there, a line."""
    before = counting.count(asked, token), counting.count(idle, token)
    client = asked.connection.client(asked.url, "llmisvc-conformance (one of two services)")
    try:
        statuses = [client.complete().status for _ in range(_REQUESTS)]
    finally:
        client.close()
    after = counting.count(asked, token), counting.count(idle, token)
    own, others = (
        (_total(then.picked, now.picked), _total(then.finished, now.finished))
        for then, now in zip(before, after, strict=True)
    )
    if (own, others) == ((_REQUESTS, _REQUESTS), (0, 0)) and set(statuses) == {200}:
        return []
    return [
        f"of {_REQUESTS} requests for {asked.namespace}/{asked.name} its own picker counted {own[0]:.0f} and its"
        f" servers {own[1]:.0f}, the picker of {idle.namespace}/{idle.name} counted {others[0]:.0f} and its servers"
        f" {others[1]:.0f}; they were answered with {statuses}"
    ]


def _total(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    return sum(counting.moved(before, after).values())
