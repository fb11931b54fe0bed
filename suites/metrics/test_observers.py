"""Kiali and Jaeger, where a profile claims them: they are there, and show this service."""

import pytest

from tools.cases.requirement import claimed, feature
from tools.explain import check
from tools.faults import observers as faults
from tools.kube.llm_service import LlmService
from tools.monitoring import observers
from tools.monitoring.through import Instrument
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.profile import Profile
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds


@pytest.mark.conformance(
    name="kiali-shows-the-service",
    level="extended",
    requires=[claimed("kiali")],
    fault=faults.kiali_away.shows("Kiali at"),
    checks=["kiali"],
)
def test_kiali_shows_the_service(service: LlmService, profile: Profile) -> None:
    """Kiali shows the service's servers and its endpoint picker among the workloads of the namespace."""
    kiali = Instrument(service.kube, "Kiali", profile.observability.kiali_at)
    path = f"/kiali/api/namespaces/{service.namespace}/workloads"
    wanted = {service.children[part][1] for part in ("workload", "picker")}
    shown = observers.workloads(kiali.get(path))
    check(
        wanted <= shown,
        f"workloads {', '.join(sorted(wanted))} in Kiali",
        f"it shows {', '.join(sorted(shown)) or 'none'} in namespace {service.namespace}",
        cause="Kiali may not look into the namespace (deployment.cluster_wide_access, discovery selectors)",
        next_step=kiali.by_hand(path),
    )


@pytest.mark.conformance(
    name="jaeger-has-traces",
    level="extended",
    requires=[claimed("jaeger"), feature("tracing")],
    fault=faults.jaeger_away.shows("Jaeger at"),
    checks=["jaeger"],
)
def test_jaeger_has_traces(service: LlmService, client: Client, profile: Profile) -> None:
    """Jaeger has traces of the gateway's proxies once requests were sent."""
    jaeger = Instrument(service.kube, "Jaeger", profile.observability.jaeger_at)

    def traced() -> None:
        expect_completion(client.complete(), client.model)
        listed = jaeger.get("/jaeger/api/services")["data"]
        name = observers.of_gateway(listed, service.gateway.name, service.gateway.namespace)
        check(
            bool(name) and bool(jaeger.get("/jaeger/api/traces", service=name, limit="1", lookback="1h")["data"]),
            f"traces of the proxies of Gateway {service.gateway} in Jaeger",
            f"it has traces of {', '.join(listed or []) or 'nobody'}",
            cause="a sampling of a few per cent, no Telemetry for the namespace, or another collector in meshConfig",
            next_step=jaeger.by_hand("/jaeger/api/services"),
        )

    eventually("a trace of a request", traced, budget=seconds("prometheus-scrapes"), in_a_row=1)
