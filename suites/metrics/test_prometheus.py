"""A real Prometheus: what it scrapes is all there is and all of it, and what rests on that returns data."""

import math

import pytest

from tools.cases.capabilities import EXCLUSIVE
from tools.cases.requirement import claimed, feature
from tools.explain import bullets, check
from tools.faults import prometheus as faults
from tools.faults import workload
from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import LlmService, Place
from tools.kube.platform import Platform
from tools.metrics import picker, vllm
from tools.monitoring import promql, scraped, shipped
from tools.monitoring.counted import FINISHED, PICKED, count, scraped_since
from tools.monitoring.prometheus import Prometheus
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

REQUESTS = 5
# What shows that a scrape of a proxy has Envoy in it.
_OF_ENVOY = ("envoy_server_live",)
_LEAST_RANGE = 60.0


@pytest.mark.conformance(
    name="prometheus-scrapes-the-service",
    level="core",
    requires=[claimed("prometheus")],
    fault=[
        faults.prometheus_without_token.shows("status 401", "no token"),
        faults.prometheus_kept_out.shows("is down", "NetworkPolicy"),
        faults.prometheus_finds_no_servers.shows("is no target", "relabel_configs"),
    ],
    checks=["prometheus"],
)
def test_scrapes_the_service(service: LlmService, prometheus: Prometheus) -> None:
    """Prometheus scrapes every server, picker and gateway proxy of the service, and the last scrape was a good one."""
    chosen = f"{gateways.NAME}={service.gateway.name}"
    proxies = service.kube.objects(POD, service.gateway.namespace, labels=chosen)
    _expect_scraped(prometheus, [*service.servers(), *service.pickers(), *proxies])


@pytest.mark.conformance(
    name="prometheus-scrapes-the-platform",
    level="extended",
    requires=[claimed("prometheus")],
    fault=faults.prometheus_without_token.shows("status 401", "no token"),
    checks=["prometheus"],
)
def test_scrapes_the_platform(service: LlmService, platform: Platform, prometheus: Prometheus) -> None:
    """Prometheus scrapes istiod and KServe's controller, and the last scrape was a good one."""
    places = (platform.istiod, platform.controller)
    _expect_scraped(prometheus, [pod for place in places for pod in _pods(service, place)])


@pytest.mark.conformance(
    name="prometheus-has-what-pods-export",
    level="core",
    requires=[claimed("prometheus"), claimed("metrics")],
    fault=[
        faults.prometheus_scrapes_envoy_alone.shows("requests running", "15090"),
        faults.metrics_prefixed.shows("requests running", "kserve_vllm:"),
    ],
    checks=["prometheus", "metrics"],
)
def test_has_what_pods_export(service: LlmService, prometheus: Prometheus) -> None:
    """Scrapes have in them what they are for: vLLM's core metrics of every server, the picker's of every picker.

    A scrape that is answered shows little: where mutual TLS is STRICT the sidecar's agent answers, with Envoy's metrics
    alone when it cannot read the server's.
    """

    def there() -> None:
        wanted = {pod["metadata"]["name"]: dict(vllm.CORE) for pod in service.servers()}
        wanted |= {pod["metadata"]["name"]: {"servers seen": picker.READY_PODS} for pod in service.pickers()}
        found = {pod: _names(prometheus, service, pod) for pod in wanted}
        wrong = [
            f"{pod} lacks {meaning}: {' or '.join(names)}"
            for pod, meanings in wanted.items()
            for meaning, names in meanings.items()
            if not found[pod] & set(names)
        ]
        check(
            not wrong,
            "vLLM's core metrics of every server in Prometheus, and the picker's of every picker",
            bullets(wrong),
            cause=_why_lacking(prometheus, service, found),
            next_step=prometheus.instrument.by_hand("/api/v1/targets"),
        )

    eventually("Prometheus to have the metrics", there, budget=seconds("prometheus-scrapes"), in_a_row=1)


@pytest.mark.conformance(
    name="prometheus-counts-what-was-sent",
    level="core",
    requires=[claimed("prometheus"), EXCLUSIVE],
    fault=workload.used_by_somebody_else.shows("moved by"),
    checks=["prometheus"],
)
def test_counts_what_was_sent(service: LlmService, client: Client, prometheus: Prometheus) -> None:
    """Completions that were sent are the number by which the servers' and the picker's counters moved in Prometheus."""
    # A counter that nobody has counted in yet is not there.
    expect_completion(client.complete(), client.model)
    before = count(prometheus, service, (FINISHED, PICKED))
    for number in range(REQUESTS):
        expect_completion(client.complete(f"Question {number}", max_tokens=2), client.model)
    after = count(prometheus, service, (FINISHED, PICKED))
    moved = {what: after[what] - before[what] for what in before}
    check(
        set(moved.values()) == {REQUESTS},
        f"{REQUESTS} completions in Prometheus' counters",
        bullets([f"{what} moved by {value:g}" for what, value in moved.items()]),
        cause="somebody else uses the service; a pod is scraped twice or not at all; a picker that is not asked",
        next_step=prometheus.instrument.by_hand("/api/v1/targets"),
    )


@pytest.mark.conformance(
    name="prometheus-alerts-can-fire",
    level="extended",
    requires=[claimed("prometheus"), claimed("metrics")],
    fault=[
        faults.alert_on_a_former_name.shows("LlmisvcKvCacheFull", "vllm:gpu_cache_usage_perc"),
        faults.alerts_not_loaded.shows("LlmisvcEngineHung is not loaded"),
    ],
    checks=["prometheus"],
)
def test_alerts_can_fire(client: Client, service: LlmService, prometheus: Prometheus) -> None:
    """The alerts that ship are loaded and evaluated without error, and every metric that they are about is there."""
    _expect_alerts(client, service, prometheus, shipped.ALERTS)


@pytest.mark.conformance(
    name="prometheus-istio-alerts-can-fire",
    level="extended",
    requires=[claimed("prometheus"), feature("istio-metrics")],
    fault=faults.alerts_not_loaded.shows("LlmisvcGatewayErrors is not loaded"),
    checks=["prometheus"],
)
def test_istio_alerts_can_fire(client: Client, service: LlmService, prometheus: Prometheus) -> None:
    """The alerts on Istio's standard metrics are loaded, and the proxies export what they are about."""
    _expect_alerts(client, service, prometheus, shipped.ISTIO_ALERTS)


@pytest.mark.conformance(
    name="prometheus-dashboard-has-data",
    level="extended",
    requires=[claimed("prometheus"), claimed("metrics")],
    fault=[
        faults.metrics_prefixed.shows("it has no such series", "metric has another name"),
        faults.prometheus_without_picker_metrics.shows("Servers seen", "Requests picked for"),
    ],
    checks=["prometheus"],
)
def test_dashboard_has_data(service: LlmService, client: Client, prometheus: Prometheus) -> None:
    """Every query of the dashboard that ships returns data for the service once there was traffic."""
    # A rate takes two scrapes of a series that may have come with the first request.
    for number in range(2):
        expect_completion(client.complete(f"Traffic {number} for the dashboard", max_tokens=4), client.model)
        scraped_since(prometheus, service, FINISHED, prometheus.now())
    interval = max(each.interval for each in prometheus.targets())
    wrong = []
    for panel in shipped.panels():
        query = panel.for_service(service.namespace, service.name, max(_LEAST_RANGE, 4 * interval))
        values = [each.value for each in prometheus.query(query)]
        if not values or any(map(math.isnan, values)):
            lacking = promql.absent(query, prometheus.named(promql.metrics(query)))
            about = f"{', '.join(lacking)} is not there" if lacking else "its metrics are there"
            wrong.append(f"{panel.row}, {panel.title}: {'not a number' if values else 'no data'}; {about}")
    check(
        not wrong,
        "data for every panel of manifests/monitoring/dashboard.json",
        bullets(wrong),
        cause="a metric has another name in this version, is not scraped, or lacks the labels namespace and pod",
        next_step=prometheus.instrument.by_hand("/api/v1/label/__name__/values"),
    )


def _expect_scraped(prometheus: Prometheus, pods: list[Object]) -> None:
    def good() -> None:
        wrong = scraped.lacking(pods, prometheus.targets(), prometheus.now())
        check(
            bool(pods) and not wrong,
            f"good scrapes of {len(pods)} pods, each at most two intervals ago",
            bullets([what for what, _ in wrong]) if pods else "there are no pods to be scraped",
            cause="; ".join(dict.fromkeys(cause for _, cause in wrong if cause)),
            next_step=prometheus.instrument.by_hand("/api/v1/targets"),
        )

    eventually("all pods to be scraped", good, budget=seconds("prometheus-scrapes"), in_a_row=1)


def _expect_alerts(client: Client, service: LlmService, prometheus: Prometheus, file: str) -> None:
    wanted = shipped.alerts(file)
    expect_completion(client.complete(), client.model)  # some metrics come with the first request
    scraped_since(prometheus, service, FINISHED, prometheus.now())
    loaded = prometheus.alerts()
    have = prometheus.named(promql.all_metrics(each.query for each in loaded.values()))
    wrong = [f"{name} is not loaded" for name in wanted if name not in loaded]
    for rule in (loaded[name] for name in wanted if name in loaded):
        wrong += [f"{rule.name}: {rule.error}"] if rule.error else []
        wrong += [f"{rule.name} is about {name}, which nobody exports" for name in promql.absent(rule.query, have)]
    check(
        not wrong,
        f"{len(wanted)} alerts of manifests/monitoring/{file}, loaded and about metrics that there are",
        bullets(wrong),
        cause="rule_files leave the file out, or a metric was renamed: such an alert is green for ever",
        next_step=prometheus.instrument.by_hand("/api/v1/rules"),
    )


def _pods(service: LlmService, place: Place) -> list[Object]:
    """Pods of a Deployment."""
    chosen = service.kube.get(DEPLOYMENT, place.name, place.namespace)["spec"]["selector"]["matchLabels"]
    labels = ",".join(f"{key}={value}" for key, value in chosen.items())
    return service.kube.objects(POD, place.namespace, labels=labels)


def _names(prometheus: Prometheus, service: LlmService, pod: str) -> set[str]:
    """Names of all metrics that Prometheus has of a pod."""
    found = prometheus.query(f'group by (__name__) ({{namespace="{service.namespace}", pod="{pod}"}})')
    return {each.labels["__name__"] for each in found}


def _why_lacking(prometheus: Prometheus, service: LlmService, found: dict[str, set[str]]) -> str:
    urls = {each.pod.partition("/")[2]: each.url for each in prometheus.targets()}
    causes = []
    for pod, names in found.items():
        prefixed = sorted(name for name in names if name.startswith("kserve_vllm:"))
        asked = f"{pod} is scraped at {urls.get(pod, 'no address')}"
        if prefixed:
            causes.append(f"metrics are renamed on their way (metric_relabel_configs): {prefixed[0]}")
        elif names & set(_OF_ENVOY):
            causes.append(f"{asked}, which has Envoy's alone: its port 15090, or an agent not told of the server's")
        elif not names:
            causes.append(f"{asked}, and has nothing in namespace {service.namespace}")
    return "; ".join(dict.fromkeys(causes))
