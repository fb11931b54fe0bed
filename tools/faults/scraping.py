"""Faults of monitoring under STRICT: a scraper outside the mesh is led to a closed port, or to nothing."""

from collections.abc import Iterator

from tools.faults.common import wait_for_answer
from tools.faults.fault import fault
from tools.faults.revision import as_it_is, beside
from tools.kube import pods
from tools.kube.llm_service import LlmService
from tools.openai.client import Client


@fault()
def metrics_not_merged(service: LlmService) -> Iterator[None]:
    """Servers are made anew whose annotations lead scrapers to the server's own port, past Istio's agent."""
    yield from _annotated(service, "prometheus.istio.io/merge-metrics", "false")


@fault()
def metrics_port_mistaken(service: LlmService) -> Iterator[None]:
    """Servers are made anew whose agent is told a port on which no server listens: it hands out its own alone."""
    yield from _annotated(service, "prometheus.io/port", "8001")


def _annotated(service: LlmService, key: str, value: str) -> Iterator[None]:
    with beside(service, as_it_is, pods.is_ready, {key: value}):
        yield
    wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)
