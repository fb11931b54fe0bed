"""Faults of a Prometheus' configuration, and of the policies that let it in.

Prometheus is rolled out with another configuration, and with its own again: what it had collected is gone each time, so
what a case sees is of the fault, and connections are new ones, which policies that came meanwhile apply to.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import yaml

from tools.explain import check
from tools.faults.changed import changed
from tools.faults.common import fault_labels, wait_until_available
from tools.faults.fault import Scope, fault
from tools.faults.policy_change import instead
from tools.kube.client import Object
from tools.kube.kinds import CONFIG_MAP, DEPLOYMENT
from tools.kube.llm_service import LlmService, Place
from tools.monitoring.prometheus import Prometheus, Target
from tools.monitoring.through import Instrument
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_LABEL = "app.kubernetes.io/name=prometheus"
_CONFIGURATION, _ALERTS = "prometheus.yml", "alerts.yaml"
_VOLUME = "config"
_NEW, _FORMER = "vllm:kv_cache_usage_perc > 0.95 or ", "vllm:gpu_cache_usage_perc"
_MONITORING = "allow-monitoring-"

Data = dict[str, str]


@fault(scope=Scope.CLUSTER)
def prometheus_without_token(service: LlmService) -> Iterator[None]:
    """No job of Prometheus has a token: whoever guards its metrics answers 401."""
    with _jobs(service, lambda job: {key: value for key, value in job.items() if key != "authorization"}):
        yield


@fault(scope=Scope.CLUSTER)
def prometheus_finds_no_servers(service: LlmService) -> Iterator[None]:
    """The job for servers keeps pods by a label that no release of KServe sets."""

    def change(job: Object) -> Object:
        first, *others = job.get("relabel_configs", [{}])
        return job | {"relabel_configs": [first | {"regex": "llm;workload;main"}, *others]}

    with _jobs(service, change, only="vllm"):
        yield


@fault(scope=Scope.CLUSTER)
def prometheus_scrapes_envoy_alone(service: LlmService) -> Iterator[None]:
    """The job for servers has Envoy's own port, 15090: it is answered, and there is nothing of the server in it."""

    def change(job: Object) -> Object:
        step = {"source_labels": ["__meta_kubernetes_pod_ip"], "regex": "(.+)"}
        port = step | {"target_label": "__address__", "replacement": "$1:15090"}
        path = {"target_label": "__metrics_path__", "replacement": "/stats/prometheus"}
        return job | {"relabel_configs": [*job["relabel_configs"], port, path]}

    with _jobs(service, change, only="vllm"):
        yield


@fault(scope=Scope.CLUSTER)
def prometheus_without_picker_metrics(service: LlmService) -> Iterator[None]:
    """Prometheus has no job for endpoint pickers."""
    with _jobs(service, lambda _: None, only="endpoint-picker"):
        yield


@fault(scope=Scope.CLUSTER)
def metrics_prefixed(service: LlmService) -> Iterator[None]:
    """vLLM's metrics are given a prefix on their way into Prometheus, as OpenShift AI's monitors do."""
    prefix = {"source_labels": ["__name__"], "regex": "(vllm:.+)", "target_label": "__name__",
              "replacement": "kserve_$1"}  # fmt: skip
    with _jobs(service, lambda job: job | {"metric_relabel_configs": [prefix]}, only="vllm"):
        yield


@fault(scope=Scope.CLUSTER)
def alerts_not_loaded(service: LlmService) -> Iterator[None]:
    """Prometheus' configuration names no file of rules."""

    def change(data: Data) -> Data:
        found = yaml.safe_load(data[_CONFIGURATION])
        return data | {_CONFIGURATION: yaml.safe_dump(found | {"rule_files": []})}

    with _configured(service, change):
        yield


@fault(scope=Scope.CLUSTER)
def alert_on_a_former_name(service: LlmService) -> Iterator[None]:
    """An alert is about vllm:gpu_cache_usage_perc alone, which vLLM calls otherwise since 0.11."""

    def change(data: Data) -> Data:
        if _NEW not in data[_ALERTS] or _FORMER not in data[_ALERTS]:
            raise RuntimeError("the alert is not as it ships")
        return data | {_ALERTS: data[_ALERTS].replace(_NEW, "")}

    with _configured(service, change):
        yield


@fault(scope=Scope.CLUSTER)
def prometheus_kept_out(service: LlmService) -> Iterator[None]:
    """The policies that let Prometheus into the service's pods are gone."""

    def others(found: list[Object]) -> list[Object]:
        kept = [each for each in found if _MONITORING not in each["metadata"]["name"]]
        if len(kept) == len(found):
            raise RuntimeError("no policy lets Prometheus in")
        return kept

    with instead(service, others), _configured(service, lambda data: data):
        _scraped(service, lambda target: target.health == "down" if _is_of(target, service) else True)
        yield


@contextmanager
def _jobs(service: LlmService, change: Callable[[Object], Object | None], only: str = "") -> Iterator[None]:
    """Prometheus with other jobs, in effect when each target was scraped.

    Args:
        service: on whose cluster.
        change: of a job; None leaves it out.
        only: name of the one job that is changed; empty for all.
    """

    def with_jobs(data: Data) -> Data:
        found = yaml.safe_load(data[_CONFIGURATION])
        jobs = [change(job) if only in ("", job["job_name"]) else job for job in found["scrape_configs"]]
        kept = [each for each in jobs if each is not None]
        return data | {_CONFIGURATION: yaml.safe_dump(found | {"scrape_configs": kept}, sort_keys=False)}

    with _configured(service, with_jobs):
        yield


@contextmanager
def _configured(service: LlmService, change: Callable[[Data], Data]) -> Iterator[None]:
    """A new Prometheus with another configuration, while entered; afterwards another new one, with its own."""
    kube, deployment = service.kube, _deployment(service)
    place = Place(deployment["metadata"]["namespace"], deployment["metadata"]["name"])
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    number = next(number for number, each in enumerate(volumes) if each["name"] == _VOLUME)
    name = volumes[number]["configMap"]["name"]
    own = kube.get(CONFIG_MAP, name, place.namespace)
    other = f"{place.name}-of-a-fault"
    meta = {"name": other, "namespace": place.namespace, "labels": fault_labels(service, "monitoring")}
    kube.apply({"apiVersion": CONFIG_MAP.api, "kind": CONFIG_MAP.kind, "metadata": meta, "data": change(own["data"])})
    try:
        with changed(kube, DEPLOYMENT, place, {f"/spec/template/spec/volumes/{number}/configMap/name": other}):
            wait_until_available(kube, place)
            _scraped(service, lambda target: target.scraped is not None)
            yield
    finally:
        wait_until_available(kube, place)
        kube.delete(CONFIG_MAP, other, place.namespace)
        _scraped(service, lambda target: target.scraped is not None)


def _deployment(service: LlmService) -> Object:
    found = service.kube.objects(DEPLOYMENT, labels=_LABEL)
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} Deployments have the label {_LABEL}, not the one of manifests/monitoring")
    return found[0]


def _scraped(service: LlmService, holds: Callable[[Target], bool]) -> None:
    """Wait until all targets are as they should be, and there are any."""
    meta = _deployment(service)["metadata"]
    prometheus = Prometheus(Instrument(service.kube, "Prometheus", f"{meta['namespace']}/{meta['name']}:9090"))

    def shows() -> None:
        found = prometheus.targets()
        wrong = [f"{each.pod} {each.health} {each.error}" for each in found if not holds(each)]
        check(len(found) > 1 and not wrong, "targets as the fault makes them", "; ".join(wrong) or "there are none")

    eventually("Prometheus' targets to be as the fault makes them", shows, budget=seconds("fault-effect"), in_a_row=1)


def _is_of(target: Target, service: LlmService) -> bool:
    return target.pod.startswith(f"{service.namespace}/")
