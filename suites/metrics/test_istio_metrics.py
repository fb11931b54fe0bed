"""Metrics of what carries requests: the Gateway's proxies and Istio's control plane."""

from collections.abc import Mapping

import pytest

from tools.cases.capabilities import EXCLUSIVE, FORWARD, ISTIOD
from tools.cases.requirement import claimed, feature
from tools.explain import bullets, check
from tools.faults import istio as faults
from tools.faults import workload
from tools.kube import gateways
from tools.kube.errors import KubeError
from tools.kube.kinds import POD
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import get_from_pod
from tools.metrics import istio
from tools.metrics.exposition import Exposition
from tools.openai.client import Client
from tools.openai.content import expect_completion

_REQUESTS = 3


@pytest.mark.conformance(
    name="metrics-gateway-proxies-are-there",
    level="core",
    requires=[claimed("metrics"), FORWARD],
    fault=faults.gateway_metrics_closed.shows("port 15020", "port 15090", "refused"),
    checks=["metrics"],
)
def test_gateway_proxies_are_there(service: LlmService) -> None:
    """Every proxy of the Gateway, found by the label that it has, hands out Envoy's metrics at both of its ports."""
    place = service.gateway
    found = gateways.proxies(service.kube, place)
    wrong = [] if found else [f"no pod has the label {gateways.NAME}={place.name}"]
    for pod in found:
        for port in (istio.AGENT_PORT, istio.ENVOY_PORT):
            lines = _lacking(service, place.namespace, pod["metadata"]["name"], port, istio.PATH, istio.PROXY)
            wrong += [f"{pod['metadata']['name']}, port {port}: {line}" for line in lines]
    check(
        not wrong,
        f"Envoy's metrics of every proxy of Gateway {place}",
        bullets(wrong),
        cause="the proxy's statistics are cut down (proxyStatsMatcher), or something closes its ports; a Gateway of the"
        " Gateway API has a Deployment of its own, not istio-ingressgateway",
        next_step=service.kube.kubectl("-n", place.namespace, "get", "pods", "-l", f"{gateways.NAME}={place.name}"),
    )


@pytest.mark.conformance(
    name="metrics-control-plane-is-there",
    level="core",
    requires=[claimed("metrics"), ISTIOD],
    fault=faults.istiod_stopped.shows("there is no istiod pod"),
    checks=["metrics"],
)
def test_control_plane_is_there(service: LlmService) -> None:
    """Every istiod hands out its metrics: its version, its proxies, and what it pushes to them."""
    namespace = service.istiod.namespace
    names = [pod["metadata"]["name"] for pod in service.kube.objects(POD, namespace, labels="app=istiod")]
    wrong = [] if names else ["there is no istiod pod"]
    for name in names:
        lines = _lacking(service, namespace, name, istio.ISTIOD_PORT, "/metrics", istio.ISTIOD)
        wrong += [f"{name}: {line}" for line in lines]
    check(
        not wrong,
        "istiod's metrics, under the names that its dashboards ask for",
        bullets(wrong),
        cause="istiod does not run, or another release names its metrics otherwise",
        next_step=service.kube.kubectl("-n", namespace, "get", "pods", "-l", "app=istiod"),
    )


@pytest.mark.conformance(
    name="metrics-istio-counts-requests",
    level="core",
    requires=[claimed("metrics"), EXCLUSIVE, FORWARD, feature("istio-metrics")],
    fault=workload.used_by_somebody_else.shows("istio_requests_total moved by"),
    checks=["metrics"],
)
def test_istio_counts_requests(service: LlmService, client: Client) -> None:
    """Istio's standard metrics at the Gateway move by exactly the requests that were sent, by their response code."""
    before = _requests(service)
    for _ in range(_REQUESTS):
        expect_completion(client.complete(), client.model)
    moved = _requests(service) - before
    check(
        moved == _REQUESTS,
        f"istio_requests_total to move by {_REQUESTS} answers of 200",
        f"istio_requests_total moved by {moved:g}",
        cause="Telemetry switches it off for the Gateway, or somebody else uses the service",
        next_step=service.kube.kubectl("get", "telemetries.telemetry.istio.io", "-A"),
    )


def _lacking(
    service: LlmService, namespace: str, pod: str, port: int, path: str, wanted: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """What a pod's metrics lack, one line each."""
    try:
        reply = get_from_pod(service.kube, namespace, pod, port, path)
    except KubeError as error:
        return [f"no metrics: {error.message}"]
    if reply.status != 200:
        return [f"no metrics: {reply.status}: {reply.body[:120]!r}"]
    found = Exposition(reply.body)
    return [f"no {what}: {' or '.join(names)}" for what, names in wanted.items() if found.names.isdisjoint(names)]


def _requests(service: LlmService) -> float:
    """Answers of 200 that the Gateway's proxies have counted."""
    total = 0.0
    for pod in gateways.proxies(service.kube, service.gateway):
        meta = pod["metadata"]
        reply = get_from_pod(service.kube, meta["namespace"], meta["name"], istio.AGENT_PORT, istio.PATH)
        total += Exposition(reply.body).total(istio.REQUESTS, response_code="200")
    return total
