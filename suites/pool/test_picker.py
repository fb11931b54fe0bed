"""The endpoint picker does its work: a 200 alone does not show it, because a dead picker fails open."""

from collections import Counter

import pytest

from fixtures.measure import Record
from tools.cases.capabilities import EXCLUSIVE, FORWARD
from tools.explain import bullets, check
from tools.faults import pool as faults
from tools.faults import routing, workload
from tools.kube import picker_path, pods
from tools.kube.llm_service import LlmService
from tools.metrics import counting, picker, scrape
from tools.openai.client import Client
from tools.openai.fingerprint import identify
from tools.openai.reply import Reply
from tools.secret import Secret
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

REQUESTS = 6


@pytest.mark.conformance(
    name="picker-picks-every-request",
    level="core",
    requires=[EXCLUSIVE, FORWARD],
    fault=[
        routing.destination_rule_removed.shows(
            "counted 0", "there is no DestinationRule for vllm-gemma-epp-service in llmisvc-"
        ),
        routing.route_past_the_pool.shows(
            "counted 0", "leads to Service vllm-gemma-kserve-workload-svc rather than to"
        ),
        faults.picker_stopped.shows("counted 0", "(there are none)", "there is no picker pod"),
        faults.picker_in_mesh.shows("500", "has a sidecar"),
        workload.used_by_somebody_else.shows("somebody else uses the service"),
    ],
    checks=["picker"],
)
def test_every_request_is_picked(service: LlmService, client: Client, metrics_token: Secret) -> None:
    """N completions through the gateway are N at the picker and N over the servers."""
    before = counting.count(service, metrics_token)
    # All are sent before anything is judged: when the way to the picker is broken, some are 500 and some fail open.
    replies = [client.complete(f"Request {number} of {REQUESTS}") for number in range(REQUESTS)]
    after = counting.count(service, metrics_token)
    picked = sum(after.picked.values()) - sum(before.picked.values())
    finished = counting.moved(before.finished, after.finished)
    bad = [reply for reply in replies if reply.status != 200]
    answers = dict(Counter(reply.status for reply in replies))
    check(
        not bad and picked == REQUESTS and sum(finished.values()) == REQUESTS,
        f"{REQUESTS} requests at the gateway to be {REQUESTS} at the picker and {REQUESTS} over the servers",
        f"answers by status {answers}; the picker's pods {sorted(after.picked) or '(there are none)'} counted"
        f" {picked:.0f}, the servers {finished}",
        cause=_cause(service, bad),
        next_step=service.kubectl("get", "pods,destinationrules.networking.istio.io", "-o", "wide"),
    )


@pytest.mark.conformance(
    name="picker-knows-the-servers",
    level="core",
    requires=[FORWARD],
    fault=faults.picker_stopped.shows("there is no picker pod"),
    checks=["picker"],
)
def test_knows_the_ready_servers(service: LlmService, metrics_token: Secret, record: Record) -> None:
    """Every picker counts as many ready pods as there are."""

    def knows() -> None:
        service.pickers()
        ready = [pod["metadata"]["name"] for pod in service.pods() if pods.is_ready(pod)]
        known = {name: found.total(picker.READY_PODS) for name, found in scrape.pickers(service, metrics_token).items()}
        check(
            bool(known) and set(known.values()) == {len(ready)},
            f"every picker to know {len(ready)} ready pods ({', '.join(ready)})",
            f"{picker.READY_PODS[0]} is {known}",
            cause="the picker may not list pods (its Role), watches another pool, the pool's selector is wrong, or the"
            " mesh's STRICT mTLS keeps a picker without sidecar from scraping the servers",
            next_step=service.kubectl("get", "pods", "--show-labels"),
        )

    settled = eventually("the picker to know the servers", knows, budget=seconds("picker-gauge"), in_a_row=1)
    record("time until the picker's gauge is right", settled.seconds, settled.budget)


def _cause(service: LlmService, bad: list[Reply]) -> str:
    """What is in the way as looked up; only if nothing is, what it may be."""
    if found := picker_path.obstacles(service):
        return bullets(found)
    if bad:
        return identify(bad[0]).cause
    return (
        "requests fail open, go to another service's picker (istio#61594), or somebody else uses the service:"
        " nothing is seen to be wrong with DestinationRule, route and picker"
    )
