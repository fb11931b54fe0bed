"""What the picker knows of the servers' load, and who may read what it knows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from fixtures.measure import Record
from tools.cases.capabilities import EXCLUSIVE, FORWARD, TRAFFIC
from tools.explain import bullets, check
from tools.faults import picker as faults
from tools.faults import pool as pool_faults
from tools.kube import picker_flags
from tools.kube.llm_service import LlmService
from tools.kube.picker_start import scraping
from tools.kube.port_forward import get_from_pod
from tools.metrics import picker, scrape, vllm
from tools.metrics.exposition import Exposition
from tools.secret import Secret
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

# Enough that there is hardly a moment without one of them, and little enough for two cores.
AT_ONCE = 3


@pytest.mark.conformance(
    name="picker-reads-the-servers",
    level="core",
    requires=[EXCLUSIVE, FORWARD, TRAFFIC],
    fault=[
        faults.picker_scrapes_https.shows("model-server-metrics-scheme is https", "running 0, cache 0"),
        faults.picker_scrapes_another_port.shows("model-server-metrics-port is 8001", "running 0, cache 0"),
        faults.picker_reads_other_names.shows("running 0, cache 0", "core-metrics-extractor"),
        faults.servers_strict.shows("0 of 1 servers fresh", "mTLS is STRICT"),
        pool_faults.picker_stopped.shows("there is no picker pod"),
    ],
    checks=["picker"],
)
def test_reads_the_servers(service: LlmService, url: str, metrics_token: Secret, record: Record) -> None:
    """While servers work, the picker's gauges of running requests and cache in use say so, and do not exaggerate."""

    def knows() -> None:
        service.pickers()
        own = scrape.servers(service)
        cached = any(each.total(vllm.CACHE_USAGE) > 0 for each in own.values())
        told = scrape.pickers(service, metrics_token)
        seen = {pod: _blind(found, len(own), cached=cached) for pod, found in told.items()}
        wrong = [f"picker {pod}: {line}" for pod, line in seen.items() if line]
        check(
            not wrong,
            f"every picker to see up to {AT_ONCE} running requests, and the cache that they use",
            f"{bullets(wrong)}; the servers say {_said(own)}",
            cause=_cause(service),
            next_step=service.kubectl("logs", f"deployment/{service.children['picker'][1]}", "-c", "main", "--tail=50"),
        )

    with _working(service, url):
        settled = eventually("the picker to see the load", knows, budget=seconds("picker-gauge"), in_a_row=1)
    record("time until the picker sees load", settled.seconds, settled.budget)


@pytest.mark.conformance(
    name="picker-metrics-are-guarded",
    level="extended",
    requires=[FORWARD],
    fault=[
        faults.picker_metrics_open.shows("200 without a token"),
        pool_faults.picker_stopped.shows("there is no picker pod"),
    ],
    checks=["picker"],
)
def test_metrics_are_guarded(service: LlmService, metrics_token: Secret) -> None:
    """The picker's metrics are for whoever may get /metrics: 200 with such a token, 401 without any."""
    asked = {"with a token that may": {"Authorization": Secret(f"Bearer {metrics_token}")}, "without a token": {}}
    wanted = {"with a token that may": HTTPStatus.OK, "without a token": HTTPStatus.UNAUTHORIZED}
    wrong = []
    for pod in service.pickers():
        name = pod["metadata"]["name"]
        for how, headers in asked.items():
            reply = get_from_pod(service.kube, service.namespace, name, picker.PORT, "/metrics", headers)
            if reply.status != wanted[how]:
                wrong.append(f"{name}: {reply.status} {how}, not {wanted[how].value}")
    check(
        not wrong,
        "401 from /metrics without a token, and 200 with one that may get it",
        bullets(wrong),
        cause="--metrics-endpoint-auth is off; or the picker may not review tokens, because its ClusterRoleBinding to"
        " system:auth-delegator is missing",
        next_step=service.kube.kubectl("get", "clusterrolebindings", f"{service.namespace}-{service.name}-epp-auth-rb"),
    )


def _blind(found: Exposition, servers: int, *, cached: bool) -> str:
    """What a picker does not see of load that there is; empty if it does."""
    running, cache, fresh = (found.total(names) for names in (picker.RUNNING, picker.CACHE_USAGE, picker.READY_PODS))
    # Averages stay as they were while no server's metrics are fresh.
    good = fresh == servers and 0 < running <= AT_ONCE and (cache > 0 or not cached)
    return "" if good else f"running {running:g}, cache {cache:g} on average, {fresh:g} of {servers} servers fresh"


def _said(own: dict[str, Exposition]) -> str:
    values = {pod: (each.total(vllm.RUNNING), each.total(vllm.CACHE_USAGE)) for pod, each in own.items()}
    lines = [f"{pod} running {running:g}, cache {cache:g}" for pod, (running, cache) in values.items()]
    return "; ".join(lines) or "nothing, there are none"


def _cause(service: LlmService) -> str:
    """How the picker is told to read metrics, where that is not as usual; else what it may be."""
    flags = picker_flags.flags(picker_flags.main(service.child("picker")))
    seen = [f"{each.observed}: {each.effect}" for each in scraping(flags, service.child("workload"))]
    names = [each for each in (flags.config or {}).get("plugins", []) if each.get("type") == picker.EXTRACTOR]
    seen += [f"its configuration has {each['type']} with names of its own: {each.get('parameters')}" for each in names]
    return (
        bullets(seen)
        if seen
        else (
            "its scrapes fail (poll failed in its log): mTLS is STRICT for the servers, and a picker without"
            " a sidecar speaks plaintext; a NetworkPolicy; or the servers' metrics have other names than it asks for"
        )
    )


@contextmanager
def _working(service: LlmService, url: str) -> Iterator[None]:
    """Requests on their way all the time, while entered."""
    ended = threading.Event()
    # Not the case's own client: what that asks is told step by step, and these are many.
    client = service.connection.client(url, "llmisvc-conformance (load for the picker to see)")

    def work(number: int) -> None:
        count = 0
        while not ended.is_set():
            count += 1
            client.complete(f"Worker {number} asks for the {count}. time", max_tokens=100)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(AT_ONCE)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in threads:
            each.join()
        client.close()
