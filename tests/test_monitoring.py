"""What a Prometheus says, read and judged; and what ships for one: rules, queries, dashboard, jobs."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kube_server import Serve
from tools.explain import Violation
from tools.manifests.monitoring import for_local_cluster
from tools.monitoring import observers, promql, shipped
from tools.monitoring.dashboard import dashboard
from tools.monitoring.prometheus import Prometheus, Target, alerts, duration, samples, targets
from tools.monitoring.scraped import lacking
from tools.monitoring.through import Instrument
from tools.paths import CHECKOUT

_POD = {"metadata": {"namespace": "llm", "name": "chat-kserve-0"}}
_UP = Target("vllm", "llm/chat-kserve-0", "http://10.0.0.1:15020/stats/prometheus", "up", "", 100.0, 2.0)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up == 0", {"up"}),
        ('up{job=~"a|b", x="it\'s {odd}"} == 1 unless on (namespace, pod) vllm:num_requests_running', {
            "up", "vllm:num_requests_running"}),
        ("sum by (pod) (rate(a_total[5m])) / sum without(le) (b_total offset 5m) > 0.01", {"a_total", "b_total"}),
        ("histogram_quantile(0.95, sum by (le) (rate(t_bucket[1m])))", {"t_bucket"}),
        ("a > bool 1e3 or b and on(pod) group_left(x, y) c", {"a", "b", "c"}),
        ('count({__name__=~"a"})', set()),
    ],
)  # fmt: skip
def test_metrics_of_an_expression(expression: str, names: set[str]) -> None:
    assert promql.metrics(expression) == names


def test_of_two_names_for_the_same_one_is_enough_if_both_are_asked() -> None:
    both = "vllm:kv_cache_usage_perc > 1 or vllm:gpu_cache_usage_perc > 1"
    assert promql.absent(both, {"vllm:kv_cache_usage_perc"}) == []
    assert promql.absent("vllm:gpu_cache_usage_perc > 1", {"vllm:kv_cache_usage_perc"}) == ["vllm:gpu_cache_usage_perc"]
    assert promql.absent("vllm:num_requests_waiting + vllm:num_requests_running", {"vllm:num_requests_running"}) == [
        "vllm:num_requests_waiting"
    ]
    assert promql.all_metrics(["a + b", "b"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("found", "observed", "cause"),
    [
        ([], "is no target", "relabel_configs"),
        ([_UP], "", ""),
        ([replace(_UP, scraped=None)], "not scraped yet", "just started"),
        ([replace(_UP, scraped=90.0)], "scraped 10 s ago", "overloaded"),
        ([Target("p", _UP.pod, "u", "down", "returned HTTP status 401 Unauthorized", 99.0, 2.0)], "401", "no token"),
        ([Target("p", _UP.pod, "u", "down", '"u": context deadline exceeded', 99.0, 2.0)], "down", "NetworkPolicy"),
        ([Target("p", _UP.pod, "u", "down", "read: connection reset by peer", 99.0, 2.0)], "is down", "STRICT"),
    ],
)  # fmt: skip
def test_why_a_pod_is_not_scraped(found: list[Target], observed: str, cause: str) -> None:
    wrong = lacking([_POD], found, now=100.0)
    if not observed:
        assert wrong == []
        return
    ((what, why),) = wrong
    assert observed in what
    assert cause in why


def test_answers_are_read() -> None:
    target = {
        "labels": {"job": "vllm", "namespace": "other", "pod": "other"},
        "discoveredLabels": {"__meta_kubernetes_namespace": "llm", "__meta_kubernetes_pod_name": "chat-kserve-0"},
        "scrapeUrl": _UP.url, "health": "up", "lastError": "", "lastScrape": "1970-01-01T00:01:40.000000000Z",
        "scrapeInterval": "2s",
    }  # fmt: skip
    never = {
        "labels": {"job": "self"},
        "health": "unknown",
        "lastScrape": "0001-01-01T00:00:00Z",
        "scrapeInterval": "1m30s",
    }
    assert targets({"activeTargets": [target, never]}) == [_UP, Target("self", "", "", "unknown", "", None, 90.0)]
    rule = {"type": "alerting", "name": "A", "query": "up == 0", "lastError": "no"}
    assert alerts({"groups": [{"rules": [rule, {"type": "recording", "name": "r"}]}]})["A"].error == "no"
    (sample,) = samples({"resultType": "vector", "result": [{"metric": {"pod": "a"}, "value": [1, "NaN"]}]})
    assert sample.value != sample.value
    with pytest.raises(ValueError, match="scalar"):
        samples({"resultType": "scalar", "result": [1, "1"]})
    assert duration("1h2m3s4ms") == 3723.004


def test_a_prometheus_that_is_not_there_is_told_with_its_place(serve: Serve) -> None:
    _, kube = serve(lambda *_: (503, {"message": 'no endpoints available for service "prometheus"'}))
    with pytest.raises(Violation, match="monitoring/prometheus:9090, where the profile says") as failure:
        Prometheus(Instrument(kube, "Prometheus", "monitoring/prometheus:9090")).targets()
    assert "no endpoints" in failure.value.observed


def test_it_is_asked_by_the_api_servers_way(serve: Serve) -> None:
    asked: list[str] = []

    def answer(_method: str, path: str, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        asked.append(f"{path} {query}")
        return 200, {"data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "7"]}]}}

    _, kube = serve(answer)
    prometheus = Prometheus(Instrument(kube, "Prometheus", "monitoring/prometheus:9090"))
    assert prometheus.now() == 7.0
    assert asked[0].startswith("/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/query ")
    assert "vector(time())" in asked[0]
    assert prometheus.named(frozenset()) == frozenset()


def test_dashboard_is_made_of_the_queries() -> None:
    next_step = "python -m tools.monitoring > manifests/monitoring/dashboard.json"
    assert (shipped.MONITORING / "dashboard.json").read_text() == dashboard(shipped.panels()), next_step


def test_queries_are_filled_for_a_service() -> None:
    for panel in shipped.panels():
        assert "$" not in panel.for_service("llm", "chat", 60)


def test_alerts_have_severity_summary_and_runbook() -> None:
    for file in (shipped.ALERTS, shipped.ISTIO_ALERTS):
        for group in yaml.safe_load((shipped.MONITORING / file).read_text())["groups"]:
            for rule in group["rules"]:
                assert rule["labels"]["severity"] in ("critical", "warning")
                assert {"summary", "runbook"} <= rule["annotations"].keys()
                assert rule["for"]


def _shipped() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((shipped.MONITORING / "prometheus.yml").read_text())
    return found


def test_local_configuration_is_what_ships_but_for_intervals_and_discovery() -> None:
    documents: list[dict[str, Any]] = [
        {"kind": "ConfigMap", "data": {"prometheus.yml": yaml.safe_dump(_shipped())}},
        {"kind": "Namespace"},
    ]
    made = yaml.safe_load(for_local_cluster(documents)[0]["data"]["prometheus.yml"])
    assert made["global"]["scrape_interval"] == "2s"
    assert made["rule_files"] == _shipped()["rule_files"]
    for ours, theirs in zip(made["scrape_configs"], _shipped()["scrape_configs"], strict=True):
        assert {key: value for key, value in ours.items() if key != "http_sd_configs"} == {
            key: value for key, value in theirs.items() if key != "kubernetes_sd_configs"
        }
        assert ours["http_sd_configs"][0]["url"].startswith("http://127.0.0.1:")
    with pytest.raises(ValueError, match="found 0"):
        for_local_cluster([{"kind": "ConfigMap", "data": {}}])


def _discovery() -> Any:
    spec = importlib.util.spec_from_file_location("kubernetes_sd", CHECKOUT / "stack" / "kubernetes-sd.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pods_are_found_with_the_labels_of_prometheus_own_discovery() -> None:
    pod = {
        "metadata": {"namespace": "llm", "name": "chat-0", "uid": "u", "labels": {"kserve.io/component": "workload"},
                     "annotations": {"prometheus.io/port": "15020"}},
        "spec": {"nodeName": "gpu-node", "containers": [{"name": "main", "ports": [
            {"containerPort": 8000, "name": "http"}, {"containerPort": 8001, "protocol": "UDP"}]}],
            "initContainers": [{"name": "istio-proxy"}]},
        "status": {"podIP": "10.0.0.1", "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }  # fmt: skip
    pending = {"metadata": {"namespace": "llm", "name": "b", "uid": "v"}, "spec": {"containers": []}, "status": {}}
    found = _discovery().groups([pod, pending])
    assert [each["targets"] for each in found] == [["10.0.0.1:8000"], ["10.0.0.1:8001"], ["10.0.0.1"]]
    wanted = {
        "namespace": "llm", "pod_name": "chat-0", "pod_ip": "10.0.0.1", "pod_phase": "Running", "pod_ready": "true",
        "pod_node_name": "gpu-node", "pod_label_kserve_io_component": "workload", "pod_container_name": "main",
        "pod_labelpresent_kserve_io_component": "true", "pod_annotation_prometheus_io_port": "15020",
        "pod_container_port_number": "8000", "pod_container_port_name": "http", "pod_container_port_protocol": "TCP",
        "pod_container_init": "false",
    }  # fmt: skip
    labels = found[0]["labels"]
    assert {key: labels.get(f"__meta_kubernetes_{key}") for key in wanted} == wanted
    assert all(isinstance(value, str) for value in labels.values())
    assert found[2]["labels"]["__meta_kubernetes_pod_container_init"] == "true"


def test_jobs_use_no_label_that_the_local_discovery_lacks() -> None:
    source = Path(CHECKOUT / "stack" / "kubernetes-sd.py").read_text()
    used = {label for job in _shipped()["scrape_configs"] for step in job["relabel_configs"]
            for label in step["source_labels"]}  # fmt: skip
    plain = {
        each.removeprefix("__meta_kubernetes_") for each in used if "_label_" not in each and "_annotation_" not in each
    }
    assert {name for name in plain if f'"{name}"' not in source} == set()


def test_what_kiali_and_jaeger_tell() -> None:
    assert observers.workloads({"workloads": [{"name": "chat-kserve"}]}) == {"chat-kserve"}
    assert observers.workloads({"workloads": None}) == set()
    assert observers.of_gateway(["jaeger", "chat-gateway-istio.llm"], "chat-gateway", "llm") == "chat-gateway-istio.llm"
    assert observers.of_gateway(None, "chat-gateway", "llm") == ""
