"""The servers' metrics tell what happened: as often, and not longer, than a client saw it."""

import pytest

from tools.cases.capabilities import EXCLUSIVE, FORWARD
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import server as faults
from tools.faults import workload
from tools.kube.llm_service import LlmService
from tools.metrics import scrape, vllm
from tools.metrics.histogram import Fed, fed
from tools.metrics.plausible import HISTOGRAMS, implausible
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.openai.expect import expect_status
from tools.openai.fingerprint import SERVER
from tools.openai.wire import Wire

_TOKENS = 20


@pytest.mark.conformance(
    name="metrics-requests-are-counted",
    level="core",
    requires=[claimed("metrics"), EXCLUSIVE, FORWARD],
    fault=[
        faults.metrics_frozen.shows("length 0, stop 0"),
        workload.used_by_somebody_else.shows("the counters moved by"),
    ],
    checks=["metrics"],
)
def test_requests_are_counted(service: LlmService, client: Client) -> None:
    """Counters of finished requests move by exactly what was sent, each by the reason for which its answer ended."""
    before = _finished(service)
    replies = [client.complete(max_tokens=number, ignore_eos=True) for number in (2, 3)]
    for each in replies:
        expect_completion(each, client.model)
    # Any letter ends it, and any model writes one.
    stopped = client.complete(max_tokens=16, stop=["a", "e", "i", "o"])
    expect_status(stopped, 200, "an answer that a stop ends", by=SERVER)
    ends = [each.json["choices"][0]["finish_reason"] for each in (*replies, stopped)]
    after = _finished(service)
    moved = {reason: after.get(reason, 0) - before.get(reason, 0) for reason in sorted({*before, *after, *ends})}
    wanted = {reason: float(ends.count(reason)) for reason in moved}
    check(
        moved == wanted,
        f"finished requests to be counted by their reason: {_told(wanted)}",
        f"the counters moved by {_told(moved)}",
        cause="somebody else uses the service, or the server's metrics do not follow what it does",
        next_step=replies[0].request.curl,
    )


@pytest.mark.conformance(
    name="metrics-histograms-are-plausible",
    level="core",
    requires=[claimed("metrics"), EXCLUSIVE, FORWARD],
    fault=[
        faults.metrics_frozen.shows("time to first token: 0 observations"),
        workload.used_by_somebody_else.shows("observations, not 1"),
    ],
    checks=["metrics"],
)
def test_histograms_are_plausible(service: LlmService, client: Client) -> None:
    """The servers' histograms have a streamed request once, with no longer times than its client saw by its clock."""
    before = _histograms(service)
    wire = Wire(service.connection, client.base_url)
    try:
        seen = wire.complete(stream=True, max_tokens=_TOKENS, ignore_eos=True)
    finally:
        wire.close()
    check(seen.status == 200 and not seen.problem, "a streamed completion", seen.summary)
    after = _histograms(service)
    told = {what: after[what].since(before[what]) for what in after}
    first, last = seen.parts[0].at, seen.parts[-1].at
    wrong = implausible(told, first, last, _TOKENS)
    check(
        not wrong,
        f"one observation of a stream whose first token came after {first:.3f} s and its last after {last:.3f} s",
        bullets(wrong),
        cause="somebody else uses the service, the server's clock or unit is another one, or its metrics do not follow"
        " what it does",
        next_step=service.kubectl("port-forward", f"deployment/{service.children['workload'][1]}", "8000"),
    )


def _histograms(service: LlmService) -> dict[str, Fed]:
    found = list(scrape.servers(service).values())
    return {what: fed(found, names) for what, names in HISTOGRAMS.items()}


def _finished(service: LlmService) -> dict[str, float]:
    """Finished requests by their reason, over all servers."""
    counts: dict[str, float] = {}
    for found in scrape.servers(service).values():
        for sample in found.find(vllm.FINISHED):
            reason = sample.labels["finished_reason"]
            counts[reason] = counts.get(reason, 0) + sample.value
    return counts


def _told(counts: dict[str, float]) -> str:
    return ", ".join(f"{reason} {value:g}" for reason, value in counts.items())
