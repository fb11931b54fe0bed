"""The simulator's /metrics: the families of a recorded vLLM 0.16, moved by exactly what was served."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tools.simulator.background import in_background
from tools.simulator.settings import Settings

RECORDED = Path(__file__).parent / "data" / "vllm-0.16.0-metrics.txt"


def serving(**changes: Any) -> Settings:
    told: dict[str, Any] = {"ttft_ms": 20, "itl_ms": 2, "max_model_len": 1024, "block_size": 4, **changes}
    return Settings(served_names=("tiny", "alias"), model="m", host="127.0.0.1", port=0, **told)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with in_background(serving()) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def values(client: httpx.Client) -> dict[str, float]:
    """Every vllm: and http_ sample by name and the labels beside model_name and engine, as `name{label=value}`."""
    found = {}
    for family in families(client.get("/metrics").text).values():
        for sample in family.samples:
            rest = {key: value for key, value in sample.labels.items() if key not in ("model_name", "engine")}
            name = sample.name.removeprefix("vllm:")
            found[name + "".join(f"{{{key}={value}}}" for key, value in sorted(rest.items()))] = sample.value
    return found


def complete(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"model": "tiny", "prompt": "one two three four five", "max_tokens": 10, "ignore_eos": True, **fields}
    reply = client.post("/v1/completions", json=body)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def until(true: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def test_the_families_are_those_of_the_recording(client: httpx.Client) -> None:
    complete(client)
    client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "x"}], "max_tokens": 1})
    reply = client.get("/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    ours, recorded = families(reply.text), families(RECORDED.read_text())
    assert len([name for name in recorded if name.startswith("vllm:")]) > 40
    for name, family in recorded.items():
        assert name in ours, name
        assert (ours[name].type, ours[name].documentation) == (family.type, family.documentation), name
        assert shape(ours[name]) == shape(family), name
    beyond = {name for name in ours if name not in recorded and not name.startswith(("python_", "process_"))}
    assert beyond == set()


def shape(family: Metric) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Sample names with their labels; values only of those labels that are the same on every server."""
    fixed = {"le", "finished_reason", "source", "sleep_state", "handler", "method", "status", "engine", "model_name"}
    return {
        (sample.name, tuple(sorted((key, value if key in fixed else "") for key, value in sample.labels.items())))
        for sample in family.samples
    }


def test_process_families_are_there(client: httpx.Client) -> None:
    assert {"process_resident_memory_bytes", "process_cpu_seconds"} <= set(families(client.get("/metrics").text))


@pytest.mark.parametrize("stream", [False, True])
def test_counters_move_by_what_was_served(client: httpx.Client, stream: bool) -> None:
    before = values(client)
    fields = {"stream": stream, "prompt": "one two three four five", "max_tokens": 10, "ignore_eos": True}
    client.post("/v1/completions", json=fields).read()
    after = values(client)
    moved = {name: after[name] - before.get(name, 0) for name in after if "_created" not in name}
    assert moved["prompt_tokens_total"] == 5
    assert moved["prompt_tokens_by_source_total{source=local_compute}"] == 5
    assert moved["generation_tokens_total"] == 10
    assert moved["request_success_total{finished_reason=length}"] == 1
    assert moved["request_success_total{finished_reason=stop}"] == 0
    for name in ("e2e_request_latency_seconds", "time_to_first_token_seconds", "request_queue_time_seconds"):
        assert moved[f"{name}_count"] == 1
    assert moved["inter_token_latency_seconds_count"] == 9
    assert moved["request_prompt_tokens_sum"] == 5
    assert moved["request_generation_tokens_sum"] == 10
    assert moved["request_params_max_tokens_sum"] == 10
    assert moved["request_params_n_sum"] == 1
    assert moved["request_max_num_generation_tokens_sum"] == 10
    assert moved["iteration_tokens_total_sum"] == 15
    assert moved["request_prefill_kv_computed_tokens_sum"] == 5
    assert moved["http_requests_total{handler=/v1/completions}{method=POST}{status=2xx}"] == 1
    assert after["num_requests_running"] == after["num_requests_waiting"] == after["kv_cache_usage_perc"] == 0


def test_times_are_those_that_were_asked_for(client: httpx.Client) -> None:
    started = time.monotonic()
    complete(client)
    took = time.monotonic() - started
    now = values(client)
    assert 0.020 <= now["time_to_first_token_seconds_sum"] <= took
    assert now["request_prefill_time_seconds_sum"] >= 0.020
    assert now["request_decode_time_seconds_sum"] == pytest.approx(now["inter_token_latency_seconds_sum"])
    # Tokens are due from scheduling on, so a late first one takes from the decoding and nothing from the sum of both.
    assert now["request_inference_time_seconds_sum"] >= 0.038
    assert 0.038 <= now["e2e_request_latency_seconds_sum"] <= took
    assert now["request_inference_time_seconds_sum"] <= now["e2e_request_latency_seconds_sum"]
    mean = now["request_decode_time_seconds_sum"] / 9
    assert now["request_time_per_output_token_seconds_sum"] == pytest.approx(mean)


def test_a_stop_counts_as_stop_and_a_refusal_as_nothing(client: httpx.Client) -> None:
    word = complete(client)["choices"][0]["text"].split()[3]
    complete(client, stop=[word])
    assert client.post("/v1/completions", json={"model": "other", "prompt": "x"}).status_code == 404
    now = values(client)
    assert now["request_success_total{finished_reason=stop}"] == 1
    assert now["request_success_total{finished_reason=length}"] == 1
    assert now["generation_tokens_total"] == 10 + 4
    assert now["http_requests_total{handler=/v1/completions}{method=POST}{status=4xx}"] == 1


def test_n_choices_are_n_sequences_of_one_request(client: httpx.Client) -> None:
    complete(client, n=3)
    now = values(client)
    assert now["request_success_total{finished_reason=length}"] == 3
    assert now["generation_tokens_total"] == 30
    assert now["prompt_tokens_total"] == 15
    assert now["request_params_n_sum"] == 3
    assert now["request_params_n_count"] == now["request_max_num_generation_tokens_count"] == 1


def test_a_prompt_seen_before_hits_the_prefix_cache(client: httpx.Client) -> None:
    complete(client)
    complete(client, model="alias")
    now = values(client)
    assert now["prefix_cache_queries_total"] == 10
    assert now["prefix_cache_hits_total"] == 4  # one full block of four
    assert now["prompt_tokens_cached_total"] == 4
    assert now["prompt_tokens_by_source_total{source=local_cache_hit}"] == 4
    assert now["prompt_tokens_by_source_total{source=local_compute}"] == 6
    assert now["prompt_tokens_total"] == 10


def test_nothing_is_cached_with_prefix_caching_off() -> None:
    with in_background(serving(prefix_caching=False)) as url, httpx.Client(base_url=url) as client:
        complete(client)
        complete(client)
        now = values(client)
    assert now["prefix_cache_queries_total"] == now["prefix_cache_hits_total"] == 0


def test_probes_and_scrapes_are_not_counted_and_unknown_paths_have_no_handler(client: httpx.Client) -> None:
    for path in ("/health", "/version", "/metrics", "/v1/models", "/ns/name/v1/models"):
        client.get(path)
    counted = {name: value for name, value in values(client).items() if name.startswith("http_requests_total")}
    assert counted == {
        "http_requests_total{handler=/v1/models}{method=GET}{status=2xx}": 1,
        "http_requests_total{handler=none}{method=GET}{status=4xx}": 1,
    }


def test_gauges_while_one_runs_and_one_waits_and_an_abandoned_request() -> None:
    told = serving(max_num_seqs=1, ttft_ms=0, itl_ms=20, num_gpu_blocks=100)
    long = {"prompt": "one two three four five", "max_tokens": 500, "ignore_eos": True, "stream": True}
    with in_background(told) as url, httpx.Client(base_url=url, timeout=20) as client:
        with client.stream("POST", "/v1/completions", json=long) as reply:
            lines = reply.iter_lines()  # kept, because httpx closes the stream with its iterator
            next(lines)
            second = threading.Thread(target=complete, args=(client,), kwargs={"max_tokens": 2})
            second.start()
            until(lambda: values(client)["num_requests_waiting"] == 1)
            now = values(client)
            assert now["num_requests_running"] == 1
            assert 0.02 <= now["kv_cache_usage_perc"] < 1
            assert now["generation_tokens_total"] > 0
            assert now["request_success_total{finished_reason=length}"] == 0
        second.join()  # the place is free as soon as the first client has gone
        until(lambda: values(client)["num_requests_running"] == 0)
        now = values(client)
    assert now["num_requests_waiting"] == 0
    # vLLM counts an abandoned sequence in no family of finished requests, but its tokens were generated.
    assert now["request_success_total{finished_reason=length}"] == 1
    assert now["request_success_total{finished_reason=abort}"] == 0
    assert now["generation_tokens_total"] > 2
    assert now["request_queue_time_seconds_sum"] > 0.01
