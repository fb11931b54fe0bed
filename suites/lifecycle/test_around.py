"""What is around a service goes and comes back, while requests run: proxies, KServe's controller, the node."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fixtures.measure import Record
from fixtures.throwaway import Throwaway
from suites.lifecycle.under_load import (
    await_ready,
    await_servers,
    expect_failed_only,
    expect_recovered,
    loaded,
    settle,
    slowly,
    want,
)
from suites.pool.asking import asking_when_it_answers
from tools.cases.capabilities import DISRUPT_CLUSTER, DISRUPT_SERVICE
from tools.explain import check
from tools.faults import controller_writes, proxies_to_come
from tools.faults import servers_to_come as faults
from tools.faults.common import scaled
from tools.kube import gateways, pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import LlmService
from tools.kube.node_cordon import cordoned, evict
from tools.load.engine import Traffic
from tools.profile import Profile
from tools.waiting.eventually import eventually
from tools.waiting.patience import unhurried
from tools.waiting.timeouts import seconds

_RESTARTED = "kubectl.kubernetes.io/restartedAt"


@pytest.fixture(scope="module")
def standing(throwaway: Throwaway, profile: Profile) -> Iterator[LlmService]:
    """A service with one server, around which things change; its Gateway is its own."""
    with throwaway("standing", slowly, replicas=1) as other, asking_when_it_answers(other, profile):
        yield other


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-gateway-restarts-without-loss",
    level="core",
    requires=[DISRUPT_SERVICE],
    fault=proxies_to_come.proxies_replaced_at_once.shows("failed", "on the gateway", "Recreate"),
    checks=["gateway"],
)
def test_gateway_restarts_without_loss(standing: LlmService, record: Record) -> None:
    """While the gateway's proxies are restarted one after the other, requests go on being answered."""
    (deployment,) = gateways.deployments(standing.kube, standing.gateway)
    old = {pod["metadata"]["name"] for pod in gateways.proxies(standing.kube, standing.gateway)}
    name, namespace = deployment["metadata"]["name"], standing.gateway.namespace
    with loaded(standing) as traffic:
        settle(traffic, traffic.mark("before"))
        # As `kubectl rollout restart` does it.
        stamp = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED: f"llmisvc-{len(old)}"}}}}}
        standing.kube.patch(DEPLOYMENT, name, namespace, stamp)
        traffic.mark("restarted")
        found = _await_proxies(standing, old)
        settle(traffic, traffic.mark("replaced"))
    record("until every proxy is replaced", found, seconds("pods-removed"))
    strategy = deployment["spec"].get("strategy", {}).get("type", "RollingUpdate")
    expect_failed_only(
        standing,
        traffic,
        "while the gateway's proxies were restarted one after the other",
        f"the Deployment's strategy is {strategy}: under RollingUpdate a new proxy is there before the old one drains;"
        " or the load balancer sends to one that has gone",
        (),
    )


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-controller-is-not-in-the-way",
    level="core",
    requires=[DISRUPT_CLUSTER],
    fault=controller_writes.repairs_refused.shows("2 servers", "is not carried out"),
)
def test_controller_is_not_in_the_way(standing: LlmService, record: Record) -> None:
    """While KServe's controller is away requests are answered all the same; come back, it carries out a change."""
    place = standing.controller
    with loaded(standing) as traffic:
        settle(traffic, traffic.mark("before"))
        with scaled(standing.kube, place.namespace, place.name, 0):
            settle(traffic, traffic.mark("controller away"))
        settle(traffic, traffic.mark("controller back"))
    expect_failed_only(
        standing, traffic, "while KServe's controller was away", "something waits for the controller that must not", ()
    )
    want(standing, 2)

    def followed() -> None:
        spec = standing.child("workload")["spec"]
        check(
            spec["replicas"] == 2,
            "a change that is asked for after the controller's return to be carried out: 2 servers",
            f"it is not carried out: the Deployment has {spec['replicas']}",
            cause="the controller that came back is not elected, may not write, or sees no changes",
            next_step=standing.kube.kubectl("-n", place.namespace, "logs", f"deployment/{place.name}", "--tail=20"),
        )

    try:
        found = eventually("2 servers", followed, budget=seconds("edit-rolled-out"), in_a_row=1)
    finally:
        want(standing, 1)
    record("until a change is carried out", found.seconds, found.budget)


@pytest.mark.disruptive
@pytest.mark.conformance(
    name="lifecycle-drained-node-gives-back",
    level="core",
    requires=[DISRUPT_CLUSTER],
    fault=faults.servers_leave_at_once.shows("failed", "on the pod", "preStop"),
    checks=["accelerator"],
)
def test_drained_node_gives_back(standing: LlmService, profile: Profile, record: Record) -> None:
    """A node is drained: its servers end what they were answering; when it is back, so is the service, in time."""
    kube = standing.kube
    (server,) = await_servers(standing, profile, 1).objects
    node = server["spec"]["nodeName"]
    with ExitStack() as stack, loaded(standing) as traffic:
        settle(traffic, traffic.mark("before"))
        stack.enter_context(cordoned(kube, node))
        evict(kube, server)
        asked = traffic.mark("evicted")
        left = _await_gone(standing, server)
        traffic.mark("server gone")
        stack.close()
        traffic.mark("node back")
        back = await_servers(standing, profile, 1, without=[server["metadata"]["name"]])
        again = traffic.mark("server ready")
        await_ready(standing, profile)
        _settle_well(traffic)
    record("until a drained server is gone", left, seconds("pods-removed"))
    record("until a server is ready again", back.seconds, back.budget)
    known = seconds("gateway-follows")
    took = expect_recovered(traffic, again, known, "the server's being ready again", standing)
    record("until requests are answered again", took, known)
    # Without a server what is sent is refused; what was running must end.
    refused = [each for each in traffic.failed if not each.in_flight(asked.at_ns)]
    hook = next(iter(server["spec"]["containers"])).get("lifecycle", {}).get("preStop")
    expect_failed_only(
        standing,
        traffic,
        "that the drained server was answering",
        f"it cuts what runs when it is asked to end, or has no time for it: its preStop hook is {hook or 'not there'}",
        refused,
        [server["metadata"]["name"]],
    )


def _await_proxies(service: LlmService, old: set[str]) -> float:
    """Wait until none of the old proxies is left and as many others are ready; the seconds that it took."""

    def decide(found: list[Object]) -> str:
        left = [pod for pod in found if pod["metadata"]["name"] in old]
        ready = [pod for pod in found if pods.is_ready(pod)]
        return "" if len(ready) >= len(old) and not left else "; ".join(pods.line(pod) for pod in found) or "no proxy"

    chosen = Selection(POD, service.gateway.namespace, labels=f"{gateways.NAME}={service.gateway.name}")
    with unhurried():
        return converge(service.kube, "other proxies", chosen, decide, budget=seconds("pods-removed")).seconds


def _await_gone(service: LlmService, pod: Object) -> float:
    def decide(found: list[Object]) -> str:
        return "; ".join(pods.line(each) for each in found)

    chosen = Selection(POD, service.namespace, pod["metadata"]["name"])
    with unhurried():
        return converge(service.kube, "the pod to be gone", chosen, decide, budget=seconds("pods-removed")).seconds


def _settle_well(traffic: Traffic) -> None:
    """Wait until requests are answered again, for as long as they may take for it."""
    count = sum(each.ok for each in traffic.records)
    traffic.await_records(lambda found: sum(each.ok for each in found) > count + 16, seconds("gateway-follows"))
