"""Policies come and go while requests run."""

import pytest

from fixtures.answering import await_answers
from fixtures.measure import Record
from fixtures.reach import demand
from fixtures.throwaway import Throwaway
from fixtures.traffic import traffic
from tools.cases.capabilities import NODES, READS_ISOLATION
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import reach as faults
from tools.kube.kinds import NETWORK_POLICY
from tools.kube.llm_service import LlmService
from tools.netpolicy.generate import policies
from tools.netpolicy.reading import read
from tools.netpolicy.world import PodEnd
from tools.profile import Profile
from tools.profile.budgets import budget
from tools.reach.cells import CLOSED, OPEN, Cell, Target, What, Who
from tools.reach.reach import Reach
from tools.reach.source import Source, measure
from tools.waiting.eventually import Settled, eventually
from tools.waiting.timeouts import seconds

_NEEDED: tuple[Cell, ...] = (
    (Who.GATEWAY, What.SERVER),
    (Who.GATEWAY, What.PICKER),
    (Who.PICKER, What.SERVER),
    (Who.PICKER, What.AGENT),
    (Who.PICKER, What.API),
)


@pytest.mark.alone
@pytest.mark.conformance(
    name="network-policies-come-without-a-failed-request",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION, NODES],
    fault=faults.port_mistaken.shows("the gateway", "expected ALLOWED, seen DROPPED", "requests are 503"),
    checks=["default-deny"],
)
def test_policies_under_traffic(throwaway: Throwaway, reach: Reach, profile: Profile, record: Record) -> None:
    """Policies applied while requests run fail none of them, are felt in time, and so is their removal."""
    with throwaway("policies", replicas=1) as other:
        await_answers(other.connection, other.url, budget("answers", profile))
        source, target = reach.prober(Who.DEFAULT), _server(other)
        _await(source, target, opened=True)
        found = policies(read(other).facts)
        with traffic(other) as replies:
            for policy in found:
                other.kube.apply(policy)
            closed = _await(source, target, opened=False)
            # What is connected already goes on: only new connections tell.
            table = Reach(other, reach.networks).table(lambda cell: cell in _NEEDED)
            demand(other, table, "what the service needs to be let through by its policies")
            for policy in found:
                other.kube.delete(NETWORK_POLICY, policy["metadata"]["name"], other.namespace)
            opened = _await(source, target, opened=True)
        record("time until policies are felt", closed.seconds, closed.budget)
        record("time until their removal is felt", opened.seconds, opened.budget)
        failed = [each.summary for each in replies if each.status != 200]
        check(
            bool(replies) and not failed,
            "requests that are answered while policies come and go",
            bullets(failed) if failed else "no request was sent",
            cause="the engine drops packets while it takes over new rules, or a needed flow is closed for a moment",
            next_step=other.kubectl("get", "networkpolicies"),
        )


def _server(service: LlmService) -> Target:
    pod = service.servers()[0]
    end = PodEnd(service.namespace, pod["metadata"]["name"])
    return Target(What.SERVER, pod["status"]["podIP"], 8000, "its server", ((end, 8000),), node=pod["spec"]["nodeName"])


def _await(source: Source, target: Target, *, opened: bool) -> Settled:
    wanted, state = (OPEN, "open") if opened else (CLOSED, "closed")
    what = f"port 8000 of a server to be {state} to {source.name}"

    def shows() -> None:
        verdict = measure({source: [target]})[source, target]
        check(verdict in wanted, what, f"{verdict}", cause="the engine does not follow, or does not run on a node")

    return eventually(what, shows, budget=seconds("policy-effect"), in_a_row=1)
