"""What is around a service goes and comes back, while requests run: proxies, KServe's controller, all servers."""

from collections.abc import Iterator

import pytest

from fixtures.measure import Record
from fixtures.throwaway import Throwaway
from suites.lifecycle.under_load import (
    await_ready,
    await_servers,
    expect_failed_only,
    loaded,
    settle,
    slowly,
    want,
)
from suites.pool.asking import asking, asking_when_it_answers
from tools.cases.capabilities import DISRUPT_CLUSTER, DISRUPT_SERVICE
from tools.explain import bullets, check
from tools.faults import controller_writes, proxies_to_come
from tools.faults.common import scaled
from tools.kube import gateways, pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import PART_OF, LlmService
from tools.openai.fingerprint import identify
from tools.profile import Profile
from tools.waiting.eventually import eventually
from tools.waiting.patience import unhurried
from tools.waiting.timeouts import seconds

# What a client can be asked to wait for a refusal.
_QUICKLY = 5.0
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
    name="lifecycle-returns-from-zero",
    level="core",
    requires=[DISRUPT_SERVICE],
    fault=controller_writes.repairs_refused.shows("0 servers", "still"),
)
def test_returns_from_zero(standing: LlmService, profile: Profile, record: Record) -> None:
    """Scaled to zero it answers 503 soon, whole and streamed; scaled up again it answers within the promised time."""
    await_servers(standing, profile, 1)
    want(standing, 0)
    none = eventually("0 servers", lambda: _expect_no_server(standing), budget=seconds("pods-removed"), in_a_row=1)
    record("until the last server is gone", none.seconds, none.budget)
    with asking(standing) as client:

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
        want(standing, 1)
        started = await_servers(standing, profile, 1)
        record("until a server is ready again", started.seconds, started.budget)
    with asking_when_it_answers(standing, profile):
        ready = await_ready(standing, profile)
        record("until the service is Ready again", ready.seconds, ready.budget)


def _await_proxies(service: LlmService, old: set[str]) -> float:
    """Wait until none of the old proxies is left and as many others are ready; the seconds that it took."""

    def decide(found: list[Object]) -> str:
        left = [pod for pod in found if pod["metadata"]["name"] in old]
        ready = [pod for pod in found if pods.is_ready(pod)]
        return "" if len(ready) >= len(old) and not left else "; ".join(pods.line(pod) for pod in found) or "no proxy"

    chosen = Selection(POD, service.gateway.namespace, labels=f"{gateways.NAME}={service.gateway.name}")
    with unhurried():
        return converge(service.kube, "other proxies", chosen, decide, budget=seconds("pods-removed")).seconds


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
