"""Counters read from recorded expositions."""

from pathlib import Path

import pytest

from tools.explain import Violation
from tools.metrics import picker, vllm
from tools.metrics.counting import moved
from tools.metrics.envoy import ProxyState
from tools.metrics.exposition import Exposition

DATA = Path(__file__).resolve().parent / "data"


@pytest.fixture(scope="module")
def recorded() -> Exposition:
    return Exposition((DATA / "vllm-0.16.0-metrics.txt").read_text())


def test_recorded_server_has_all_core_metrics(recorded: Exposition) -> None:
    assert vllm.missing(recorded) == []


def test_finished_requests_leave_out_aborted_ones(recorded: Exposition) -> None:
    assert vllm.finished(recorded) == 7
    text = (
        'vllm:request_success_total{finished_reason="abort"} 5\nvllm:request_success_total{finished_reason="stop"} 2\n'
    )
    assert vllm.finished(Exposition(text)) == 2


def test_older_names_count_as_well() -> None:
    assert Exposition("vllm:gpu_cache_usage_perc 0.5\n").total(vllm.CACHE_USAGE) == 0.5


def test_missing_metric_is_named_with_all_its_names() -> None:
    found = Exposition("vllm:num_requests_running 0\n")
    assert "KV cache usage: vllm:kv_cache_usage_perc or vllm:gpu_cache_usage_perc" in vllm.missing(found)
    assert not any(line.startswith("requests running") for line in vllm.missing(found))


def test_counter_without_events_is_zero() -> None:
    assert Exposition("").total(picker.REQUESTS) == 0


def test_pickers_requests_are_summed_over_models() -> None:
    text = 'inference_objective_request_total{model_name="a"} 3\ninference_objective_request_total{model_name="b"} 4\n'
    assert Exposition(text).total(picker.REQUESTS) == 7
    assert Exposition(text).total(picker.REQUESTS, model_name="b") == 4


def test_what_is_no_exposition_is_refused() -> None:
    with pytest.raises(ValueError, match="html"):
        Exposition("<html>not found</html>")


def test_counters_move_by_pod() -> None:
    assert moved({"a": 1, "b": 2}, {"a": 1, "b": 5}) == {"a": 0, "b": 3}


@pytest.mark.parametrize("after", [{"a": 1}, {"a": 1, "c": 9}, {"a": 0, "b": 2}])
def test_replaced_pods_make_counters_worthless(after: dict[str, float]) -> None:
    with pytest.raises(Violation, match="replaced or a container restarted"):
        moved({"a": 1, "b": 2}, after)


def test_proxy_in_sync() -> None:
    stats = {"cluster_manager.cds.update_success": 3, "listener_manager.lds.update_success": 2}
    assert ProxyState("LIVE", stats).trouble == []
    told = "it refuses the update of virtualInbound: script load error"
    assert ProxyState("LIVE", stats, (told,)).trouble == [told]
    assert ProxyState("LIVE", {**stats, "listener_manager.lds.update_success": 0}).trouble == [
        "listener_manager.lds.update_success is 0"
    ]
    assert ProxyState("PRE_INITIALIZING", {}).trouble[0] == "its state is PRE_INITIALIZING"


@pytest.mark.parametrize("name", ["pilot_xds_pushes", "vllm:prompt_tokens_total"])
def test_counters_keep_the_names_that_they_have(name: str) -> None:
    found = Exposition(f'# TYPE {name} counter\n{name}{{type="cds"}} 3\n')
    assert found.names == {name}
    assert found.total([name], type="cds") == 3
