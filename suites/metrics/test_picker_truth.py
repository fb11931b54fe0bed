"""The endpoint picker's metrics: of one generation, true, and of the same model and pods as the servers'."""

import pytest

from tools.cases.capabilities import EXCLUSIVE, FORWARD
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import fields, workload
from tools.faults import pool as pool_faults
from tools.faults import server as faults
from tools.kube.llm_service import LlmService
from tools.metrics import picker, scrape, vllm
from tools.metrics.exposition import Exposition
from tools.metrics.histogram import fed
from tools.openai.client import Client
from tools.openai.content import expect_stream
from tools.secret import Secret
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_TOKENS = 9


@pytest.mark.conformance(
    name="metrics-picker-generation-is-whole",
    level="core",
    requires=[claimed("metrics"), FORWARD],
    fault=[
        pool_faults.picker_stopped.shows("there is no picker pod"),
    ],
    checks=["metrics"],
)
def test_picker_generation_is_whole(service: LlmService, client: Client, metrics_token: Secret) -> None:
    """After a request every picker has all metrics of a known generation: dashboards and alerts find their names."""
    service.pickers()
    _stream(client)

    def whole() -> None:
        wrong = [
            f"{pod} lacks {line}" for pod, each in _scraped(service, metrics_token) for line in picker.missing(each)
        ]
        check(
            not wrong,
            "all metrics of one generation of pickers",
            bullets(wrong),
            cause="the picker is of a release that names its metrics otherwise: dashboards, alerts and autoscalers that"
            " ask for the older names find nothing",
            next_step=service.kubectl("get", f"deployment/{service.children['picker'][1]}", "-o", "yaml"),
        )

    eventually("the picker's metrics of a request", whole, budget=seconds("picker-gauge"), in_a_row=1)


@pytest.mark.conformance(
    name="metrics-picker-counts-tokens",
    level="core",
    requires=[claimed("metrics"), EXCLUSIVE, FORWARD],
    fault=[
        pool_faults.picker_stopped.shows("there is no picker pod"),
        workload.used_by_somebody_else.shows("the picker counted"),
        fields.fields_lost.shows("usage is None"),
    ],
    checks=["metrics"],
)
def test_picker_counts_tokens(service: LlmService, client: Client, metrics_token: Secret) -> None:
    """The tokens in a streamed reply's usage are the tokens by which the picker's histograms move."""
    service.pickers()
    before = _tokens(service, metrics_token)
    usage = _stream(client)
    stated = (usage["prompt_tokens"], usage["completion_tokens"])

    def counted() -> None:
        after = _tokens(service, metrics_token)
        moved = (after[0] - before[0], after[1] - before[1])
        check(
            moved == stated,
            f"prompt and generated tokens of a stream's usage, {stated}, in the picker's metrics",
            f"the picker counted {moved}",
            cause="it does not see the last chunk of streams (response body mode of ext_proc), or somebody else uses"
            " the service; without stream_options.include_usage it never counts a stream",
            next_step=service.kubectl("logs", f"deployment/{service.children['picker'][1]}", "-c", "main", "--tail=50"),
        )

    eventually("the picker to have counted a stream", counted, budget=seconds("picker-gauge"), in_a_row=1)


@pytest.mark.conformance(
    name="metrics-labels-join",
    level="core",
    requires=[claimed("metrics"), FORWARD],
    fault=[
        faults.metrics_renamed.shows("no vllm: metric has model_name"),
        pool_faults.picker_stopped.shows("there is no picker pod"),
    ],
    checks=["metrics"],
)
def test_labels_join(service: LlmService, client: Client, metrics_token: Secret) -> None:
    """Servers and picker name the model as requests do, and pods by their names, so that queries can join them."""
    service.pickers()
    _stream(client)
    wrong = []
    for pod, each in scrape.servers(service).items():
        models = {sample.labels["model_name"] for sample in each.samples if _of_model(sample.name, sample.labels)}
        wrong += [f"{pod}: no vllm: metric has model_name"] if not models else []
        wrong += [f"{pod}: model_name is {name!r}" for name in sorted(models - {client.model})]
        engines = {sample.labels.get("engine") for sample in each.find(vllm.RUNNING)}
        wrong += [f"{pod}: engines are {sorted(map(str, engines))}"] if len(engines) > 1 else []
    names = {pod["metadata"]["name"] for pod in service.pods()}
    told = _scraped(service, metrics_token)
    # Several pickers: only one of them may have had the request.
    models = {sample.labels.get("model_name", "") for _, each in told for sample in each.find(picker.REQUESTS)}
    wrong += [] if client.model in models else [f"the picker's requests are of {sorted(models) or 'no model'}"]
    for pod, each in told:
        known = {_pod(sample.labels.get("model_server_pod", "")) for sample in each.find(picker.QUEUED)}
        wrong += [f"picker {pod} has no queue of server {name}" for name in sorted(names - known)] if known else []
    check(
        not wrong,
        f"the model as {client.model} and the pods by their names, in the metrics of servers and picker",
        bullets(wrong),
        cause="--served-model-name is another one than requests use; the picker folds names beyond a thousand into"
        " `other`; or a scraper's relabelling has put a prefix before names",
        next_step=service.kubectl("port-forward", f"deployment/{service.children['workload'][1]}", "8000"),
    )


def _stream(client: Client) -> dict[str, int]:
    """A stream's usage."""
    reply = client.chat(stream=True, stream_options={"include_usage": True}, max_tokens=_TOKENS, ignore_eos=True)
    return expect_stream(reply).usage or {}


def _scraped(service: LlmService, token: Secret) -> list[tuple[str, Exposition]]:
    return list(scrape.pickers(service, token).items())


def _tokens(service: LlmService, token: Secret) -> tuple[float, float]:
    found = [each for _, each in _scraped(service, token)]
    return fed(found, picker.INPUT_TOKENS).total, fed(found, picker.OUTPUT_TOKENS).total


def _of_model(name: str, labels: dict[str, str]) -> bool:
    return name.startswith("vllm:") and "model_name" in labels


def _pod(label: str) -> str:
    """A pod's name in a label that says its rank, too."""
    return label.partition("-rank-")[0]
