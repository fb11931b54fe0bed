"""Servers come and go, one after the other on one service: scale, rollout, a killed pod, none at all."""

from collections.abc import Collection, Iterator
from uuid import uuid4

import pytest

from fixtures.measure import Record
from fixtures.throwaway import Throwaway
from suites.lifecycle.under_load import (
    await_ready,
    await_rollout,
    await_servers,
    expect_failed_only,
    expect_recovered,
    loaded,
    settle,
    slowly,
    want,
)
from suites.pool.asking import asking, asking_when_it_answers
from tools.cases.capabilities import DISRUPT_SERVICE, FORWARD
from tools.explain import bullets, check
from tools.faults import controller_writes
from tools.faults import servers_to_come as faults
from tools.kube import pods
from tools.kube.kinds import LLM_SERVICE, NODE, POD
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService
from tools.load.engine import Traffic
from tools.load.record import NANOSECONDS
from tools.metrics.counting import finished_by_pod, moved
from tools.openai.fingerprint import identify
from tools.profile import Profile
from tools.profile.budgets import budget
from tools.troubles.placement import free, selected
from tools.waiting.eventually import Settled, eventually
from tools.waiting.timeouts import seconds

_MOST = 3
# In which what was sent to a server that has just been killed may be lost: nobody can know of it at once.
_MOMENT_NS = 2 * NANOSECONDS
# What a client can be asked to wait for a refusal.
_QUICKLY = 5.0
_EDITED = "LLMISVC_CONFORMANCE_EDITED"


@pytest.fixture(scope="module")
def changing(throwaway: Throwaway, profile: Profile) -> Iterator[LlmService]:
    """A service with one server, which each case leaves as it found it: another for each would take half a minute."""
    with throwaway("changing", slowly, replicas=1) as other, asking_when_it_answers(other, profile):
        yield other


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-scales-without-loss",
    level="core",
    requires=[DISRUPT_SERVICE, FORWARD],
    fault=faults.servers_leave_at_once.shows("failed", "on the pod", "preStop"),
)
def test_scales_without_loss(changing: LlmService, profile: Profile, record: Record) -> None:
    """From one server to three (or to as many as there is room for) and back no request fails, and each gets work."""
    await_servers(changing, profile, 1)
    many = min(_MOST, 1 + _room(changing, profile))
    check(
        many > 1,
        "room for a second server",
        f"no {profile.accelerator.resource} is free",
        cause="all accelerators are taken: scaling up would wait for ever",
        next_step=changing.kube.kubectl("describe", "nodes"),
    )
    with loaded(changing) as traffic:
        want(changing, many)
        traffic.mark(f"scaled to {many}")
        grown = await_servers(changing, profile, many)
        names = [pod["metadata"]["name"] for pod in grown.objects]
        traffic.mark(f"{many} ready")
        worked = _await_work(changing)
        want(changing, 1)
        traffic.mark("scaled to 1")
        shrunk = await_servers(changing, profile, 1)
        settle(traffic, traffic.mark("1 left"))
    kept = [pod["metadata"]["name"] for pod in shrunk.objects]
    record("until scaled up", grown.seconds, grown.budget, f"{many} servers")
    record("until every server has work", worked.seconds, worked.budget)
    record("until scaled down", shrunk.seconds, shrunk.budget)
    _expect_none_failed(changing, traffic, f"while servers went from 1 to {many} and back", set(names) - {*kept})


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-rolls-without-loss",
    level="core",
    requires=[DISRUPT_SERVICE],
    fault=[
        faults.servers_replaced_at_once.shows("failed", "on the pod", "no healthy upstream"),
        faults.servers_leave_at_once.shows("failed", "on the pod", "preStop"),
    ],
)
def test_rolls_without_loss(changing: LlmService, profile: Profile, record: Record) -> None:
    """While an edit has every server replaced, no request fails and no stream is cut."""
    old = [pod["metadata"]["name"] for pod in await_servers(changing, profile, 1).objects]
    with loaded(changing) as traffic:
        _edit(changing)
        traffic.mark("edited")
        rolled = await_servers(changing, profile, 1, without=old)
        settle(traffic, traffic.mark("all replaced"))
    record("until every server is replaced", rolled.seconds, rolled.budget)
    _expect_none_failed(changing, traffic, "while every server was replaced", old)


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-killed-server-is-contained",
    level="core",
    requires=[DISRUPT_SERVICE],
    fault=faults.servers_alone.shows("failed", "on the pod", "no other server"),
)
def test_killed_server_is_contained(changing: LlmService, profile: Profile, record: Record) -> None:
    """Of two servers one is killed: only what it was answering fails, and it is replaced within the promised time."""
    want(changing, 2)
    there = [pod["metadata"]["name"] for pod in await_rollout(changing, profile)]
    with loaded(changing) as traffic:
        settle(traffic, traffic.mark(f"{len(there)} ready"))
        victim = there[0]
        # A grace of 0 is a kill: no preStop hook, no SIGTERM, as when a node loses power.
        changing.kube.request("DELETE", POD.path(victim, changing.namespace), {"gracePeriodSeconds": "0"})
        killed = traffic.mark(f"{victim} killed")
        replaced = await_servers(changing, profile, len(there), without=[victim])
        settle(traffic, traffic.mark("replaced"))
    record("until the killed server is replaced", replaced.seconds, budget("service-ready", profile))
    # It takes gateway and picker a moment to learn of it; what they sent there until then is lost with it.
    known = seconds("gateway-follows")
    excused = [
        each
        for each in traffic.failed
        if each.in_flight(killed.at_ns) or (0 < each.sent_ns - killed.at_ns < _MOMENT_NS and len(there) > 1)
    ]
    expect_failed_only(
        changing,
        traffic,
        f"but for those that {victim} was answering when it was killed",
        "there is no other server to take its requests, or the gateway goes on sending to one that is gone",
        excused,
        [victim],
    )
    record("until nothing fails any more", expect_recovered(traffic, killed, known, "the kill", changing), known)
    want(changing, 1)


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-returns-from-zero",
    level="core",
    requires=[DISRUPT_SERVICE],
    fault=controller_writes.repairs_refused.shows("0 servers", "still"),
)
def test_returns_from_zero(changing: LlmService, profile: Profile, record: Record) -> None:
    """Scaled to zero it answers 503 soon, whole and streamed; scaled up again it answers within the promised time."""
    await_servers(changing, profile, 1)
    want(changing, 0)
    none = eventually("0 servers", lambda: _expect_no_server(changing), budget=seconds("pods-removed"), in_a_row=1)
    record("until the last server is gone", none.seconds, none.budget)
    with asking(changing) as client:

        def refused() -> None:
            for reply in (client.complete(), client.chat(stream=True)):
                check(
                    reply.status == 503 and reply.seconds < _QUICKLY,
                    f"503 within {_QUICKLY:g} s, because there is no server",
                    f"{reply.summary}; answered by {identify(reply)}",
                    cause=identify(reply).cause,
                    next_step=reply.request.curl,
                )

        eventually("a service of 0 servers to be unavailable", refused, budget=seconds("gateway-follows"))
        want(changing, 1)
        started = await_servers(changing, profile, 1)
        record("until a server is ready again", started.seconds, started.budget)
    with asking_when_it_answers(changing, profile):
        ready = await_ready(changing, profile)
        record("until the service is Ready again", ready.seconds, ready.budget)


def _room(service: LlmService, profile: Profile) -> int:
    """How many more servers there is an accelerator for."""
    selector = service.child("workload")["spec"]["template"]["spec"].get("nodeSelector", {})
    everywhere = service.kube.objects(POD)
    nodes = [each for each in service.kube.objects(NODE) if selected(each, selector)]
    resource, count = profile.accelerator.resource, max(profile.accelerator.count, 1)
    return sum(int(free(each, everywhere, resource)) // count for each in nodes)


def _await_work(service: LlmService) -> Settled:
    """Wait until each server has answered something since it was first looked at."""
    before = finished_by_pod(service)

    def worked() -> None:
        idle = [pod for pod, count in moved(before, finished_by_pod(service)).items() if not count]
        check(
            not idle,
            "every server to answer requests",
            f"{', '.join(idle)} answered none",
            cause="picker or gateway do not know of it, or never choose it",
            next_step=service.kubectl("get", "endpointslices,pods", "-o", "wide"),
        )

    return eventually("every server to answer requests", worked, budget=seconds("gateway-follows"), in_a_row=1)


def _edit(service: LlmService) -> None:
    containers = service.read()["spec"]["template"]["containers"]
    kept = [each for each in containers[0].get("env", []) if each["name"] != _EDITED]
    containers[0]["env"] = [*kept, {"name": _EDITED, "value": uuid4().hex}]
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, {"spec": {"template": {"containers": containers}}})


def _expect_none_failed(service: LlmService, traffic: Traffic, what: str, leaving: Collection[str]) -> None:
    container = pods.container({"spec": service.child("workload")["spec"]["template"]["spec"]}, SERVER_CONTAINER) or {}
    hook = "has a preStop hook" if container.get("lifecycle", {}).get("preStop") else "has no preStop hook"
    strategy = service.child("workload")["spec"].get("strategy", {}).get("type", "RollingUpdate")
    expect_failed_only(
        service,
        traffic,
        what,
        f"a server that is to end has to go on answering until gateway and picker know of it: container"
        f" {SERVER_CONTAINER} {hook}, the strategy is {strategy}",
        (),
        leaving,
    )


def _expect_no_server(service: LlmService) -> None:
    labels = f"{PART_OF},app.kubernetes.io/name={service.name},kserve.io/component=workload"
    left = service.kube.objects(POD, service.namespace, labels=labels)
    check(
        not left,
        "0 servers",
        bullets([f"still there: {pods.line(pod)}" for pod in left]),
        cause="the controller did not scale the Deployment, or the server does not end within its grace",
        next_step=service.kubectl("get", "deployments,pods"),
    )
