"""Monitoring is outside of the mesh as a rule: what mutual TLS leaves it of the servers."""

import pytest

from suites.mesh.mutual import PORT, peer_authentications
from tools.cases.capabilities import CONTROLLERS, THROUGH
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import scraping as faults
from tools.kube.client import Object
from tools.kube.dial import dial
from tools.kube.llm_service import LlmService
from tools.mesh import peers, scraping
from tools.metrics import vllm
from tools.metrics.exposition import Exposition
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import Who
from tools.reach.probers import PORT as PROBER_PORT
from tools.reach.probers import Probers
from tools.reach.reach import Reach


@pytest.mark.alone  # it opens the service's NetworkPolicies for a moment
@pytest.mark.usefixtures("outside")
@pytest.mark.conformance(
    name="mesh-monitoring-can-still-scrape",
    level="core",
    requires=[claimed("sidecars"), claimed("metrics"), THROUGH, CONTROLLERS],
    fault=[
        faults.metrics_not_merged.shows("port 8000 /metrics", "connection cut", "STRICT"),
        faults.metrics_port_mistaken.shows("port 15020", "no metrics of vLLM", "port 8001"),
    ],
    checks=["metrics", "strict-mtls"],
)
def test_monitoring_can_still_scrape(service: LlmService, reach: Reach) -> None:
    """A scraper outside the mesh gets every server's metrics where its pod says they are, whatever the mesh demands."""
    scraper = _scraper(reach)
    wrong = [line for pod in service.servers() for line in _trouble(service, scraper, pod)]
    check(
        not wrong,
        "metrics of vLLM for a scraper in plaintext, at the place that the pod's annotations name",
        bullets(wrong),
        cause="mutual TLS refuses a Prometheus outside the mesh at the server's port, and says so nowhere: its"
        " dashboards are empty. Annotations prometheus.io/scrape, port and path of the LLMInferenceService have"
        " Istio's agent hand out the server's metrics on port 15020 (docs/mesh.md)",
        next_step=service.kubectl("get", "pods", "-o", "jsonpath={..metadata.annotations}"),
    )


def _trouble(service: LlmService, scraper: Object, pod: Object) -> list[str]:
    """Why a server's metrics are not there for a scraper, in a line; empty if they are."""
    name, place = pod["metadata"]["name"], scraping.place(pod)
    found = dial(service.kube, scraper, PROBER_PORT, pod["status"]["podIP"], place.port, place.path)
    if found.verdict is not Verdict.HTTP:
        demand = peers.demand(peer_authentications(service), pod, PORT, service.istiod.namespace)
        return [f"{name}: {place} is {found.summary}; demanded at {PORT} is {demand}"]
    if not Exposition(found.said).find(vllm.RUNNING):
        return [f"{name}: {place} has no metrics of vLLM; Istio's agent was told to read {scraping.merged(pod)}"]
    return []


def _scraper(reach: Reach) -> Object:
    if (found := Probers(reach.service).found().get(Who.MONITORING)) is None:
        raise ProbeFailed(f"there is no prober {Who.MONITORING}")
    return found
