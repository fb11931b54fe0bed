"""The servers' metrics: what pickers, dashboards and budgets rest on is there, and true."""

import pytest

from tools.cases.capabilities import EXCLUSIVE, FORWARD
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import server, workload
from tools.kube.llm_service import LlmService
from tools.metrics import scrape, vllm
from tools.metrics.exposition import Exposition
from tools.openai.client import Client
from tools.openai.content import expect_completion


@pytest.mark.conformance(
    name="metrics-core-is-there",
    level="core",
    requires=[claimed("metrics"), FORWARD],
    fault=[
        workload.servers_stopped.shows("HTTP 503"),
        server.metrics_renamed.shows("lacks requests running", "vLLM renamed them"),
    ],
    checks=["metrics"],
)
def test_core_metrics_are_there(service: LlmService, client: Client) -> None:
    """Every server exports vLLM's core metrics, under their names or older ones, for the model that is served."""
    expect_completion(client.complete(), client.model)  # some appear with the first request
    found = scrape.servers(service)
    wrong = [f"{pod} lacks {line}" for pod, each in found.items() for line in vllm.missing(each)]
    models = {sample.labels.get("model_name") for each in found.values() for sample in each.find(vllm.RUNNING)}
    wrong += [] if models == {client.model} else [f"model_name is {sorted(map(str, models))}"]
    check(
        bool(found) and not wrong,
        f"core metrics of every server, for {client.model}",
        bullets(wrong) if found else "there is no server pod",
        cause="metrics are switched off (--disable-log-stats), or vLLM renamed them",
        next_step=service.kubectl("port-forward", f"deployment/{service.children['workload'][1]}", "8000"),
    )


@pytest.mark.conformance(
    name="metrics-tokens-are-counted",
    level="core",
    requires=[claimed("metrics"), EXCLUSIVE, FORWARD],
    fault=[
        workload.used_by_somebody_else.shows("the counters moved by"),
        server.metrics_frozen.shows("the counters moved by (0.0, 0.0)"),
    ],
    checks=["metrics"],
)
def test_tokens_are_counted(service: LlmService, client: Client) -> None:
    """The tokens that a reply's usage states are the tokens by which the servers' counters move."""
    before = _tokens(service)
    reply = client.complete("One two three four five six", max_tokens=12)
    expect_completion(reply, client.model)
    after = _tokens(service)
    usage = reply.json["usage"]
    stated = (usage["prompt_tokens"], usage["completion_tokens"])
    counted = (after[0] - before[0], after[1] - before[1])
    check(
        stated == counted,
        f"prompt and generated tokens of the reply's usage, {stated}, in the servers' counters",
        f"the counters moved by {counted}",
        cause="somebody else uses the service, or usage is made up by something in between",
        next_step=reply.request.curl,
    )


def _tokens(service: LlmService) -> tuple[float, float]:
    found: list[Exposition] = list(scrape.servers(service).values())
    return sum(each.total(vllm.PROMPT_TOKENS) for each in found), sum(
        each.total(vllm.GENERATED_TOKENS) for each in found
    )
