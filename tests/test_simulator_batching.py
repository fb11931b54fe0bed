"""The simulator with a preset, over a real socket: batching, queue, preemption and the metrics that they move."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.test_simulator_metrics import complete, serving, until, values
from tools.metrics.exposition import Exposition
from tools.metrics.vllm import missing
from tools.simulator.admin import ask
from tools.simulator.background import in_background
from tools.simulator.cli import parse
from tools.simulator.generations import GENERATIONS
from tools.simulator.presets import PRESETS

# As an accelerator batches, but in milliseconds, so that tests are quick.
QUICK = replace(PRESETS["t4"], per_billion_s=8e-4, per_sequence_s=0.0, request_s=0.0, per_prompt_token_s=1e-5)


@contextmanager
def server(**changes: Any) -> Iterator[httpx.Client]:
    with in_background(serving(preset=QUICK, **changes)) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def test_an_answer_is_the_same_with_and_without_a_preset() -> None:
    with server() as client, in_background(serving(ttft_ms=0, itl_ms=0)) as url, httpx.Client(base_url=url) as plain:
        for fields in ({"n": 2}, {"stop": "e"}, {"max_tokens": 400, "ignore_eos": False}):
            one, other = complete(client, **fields), complete(plain, **fields)
            assert one["choices"] == other["choices"]
            assert one["usage"] == other["usage"]


def test_a_stream_has_an_event_for_each_token() -> None:
    with server() as client:
        body = {"prompt": "x", "max_tokens": 30, "ignore_eos": True, "stream": True}
        *chunks, done, _ = client.post("/v1/completions", json=body).text.split("\n\n")
    assert done == "data: [DONE]"
    texts = [json.loads(chunk.removeprefix("data: "))["choices"][0]["text"] for chunk in chunks]
    assert len(texts) == 30
    assert all(texts)


def test_counters_move_by_what_was_served_and_steps_are_shared() -> None:
    with server() as client:
        asking = [threading.Thread(target=complete, args=(client,), kwargs={"prompt": f"{n} x"}) for n in range(8)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        now = values(client)
    assert now["generation_tokens_total"] == 80
    assert now["prompt_tokens_total"] == 16
    assert now["iteration_tokens_total_sum"] == 96
    assert now["iteration_tokens_total_count"] < 80
    assert now["request_success_total{finished_reason=length}"] == 8
    assert now["time_to_first_token_seconds_count"] == 8
    assert now["inter_token_latency_seconds_count"] == 72
    assert now["num_requests_running"] == now["num_requests_waiting"] == now["kv_cache_usage_perc"] == 0


def test_load_beyond_the_slots_waits_and_takes_longer() -> None:
    with server(max_num_seqs=2) as client:
        asking = [threading.Thread(target=complete, args=(client,), kwargs={"max_tokens": 60}) for _ in range(6)]
        for one in asking:
            one.start()
        until(lambda: values(client)["num_requests_waiting"] > 0)
        assert values(client)["num_requests_running"] == 2
        assert values(client)["kv_cache_usage_perc"] > 0
        for one in asking:
            one.join()
        now = values(client)
    assert now["request_queue_time_seconds_sum"] > now["request_inference_time_seconds_sum"] / 6


def test_preemptions_are_counted_and_nothing_is_lost() -> None:
    with server(num_gpu_blocks=12, prefix_caching=False) as client:
        asking = [threading.Thread(target=complete, args=(client,), kwargs={"max_tokens": 30}) for _ in range(3)]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
        now = values(client)
    assert now["num_preemptions_total"] > 0
    assert now["generation_tokens_total"] == 90
    assert now["prefix_cache_queries_total"] == 0


def test_a_prompt_seen_before_has_its_first_token_sooner() -> None:
    slow = replace(QUICK, per_prompt_token_s=1e-3)
    prompt = "word " * 200
    with in_background(serving(preset=slow)) as url, httpx.Client(base_url=url, timeout=20) as client:
        times = []
        for _ in range(2):
            before = values(client).get("time_to_first_token_seconds_sum", 0)
            complete(client, prompt=prompt, max_tokens=1)
            times.append(values(client)["time_to_first_token_seconds_sum"] - before)
        assert values(client)["prefix_cache_hits_total"] >= 190
    assert times[1] < times[0] / 3
    assert times[0] > 0.4


def test_a_client_that_goes_frees_its_place() -> None:
    long = {"prompt": "one two", "max_tokens": 900, "ignore_eos": True, "stream": True}
    with server(max_num_seqs=1) as client:
        with client.stream("POST", "/v1/completions", json=long) as reply:
            lines = reply.iter_lines()
            next(lines)
            assert values(client)["num_requests_running"] == 1
        until(lambda: values(client)["num_requests_running"] == 0)
        assert complete(client)["usage"]["completion_tokens"] == 10
        assert values(client)["request_success_total{finished_reason=length}"] == 1


def test_a_hang_stops_the_engine_and_requests_queue_up(tmp_path: Path) -> None:
    door = str(tmp_path / "admin.sock")
    with server(admin_socket=door) as client:
        complete(client)
        ask(door, "on hang")
        asking = threading.Thread(target=complete, args=(client,))
        asking.start()
        until(lambda: values(client)["num_requests_waiting"] == 1)
        assert values(client)["generation_tokens_total"] == 10
        ask(door, "off hang")
        asking.join()
        assert values(client)["generation_tokens_total"] == 20


def test_steps_take_the_time_that_the_preset_says() -> None:
    with in_background(serving(preset=replace(PRESETS["v6e"], jitter=0.0))) as url:
        started = time.monotonic()
        httpx.post(f"{url}/v1/completions", json={"prompt": "x", "max_tokens": 20, "ignore_eos": True})
        took = time.monotonic() - started
    assert took >= 0.02 + 20 * PRESETS["v6e"].step_s(0, 0)


def test_presets_from_the_command_line() -> None:
    assert parse([])[0].preset is None
    settings, ignored = parse(["--preset", "v6e", "--seed", "7", "--max-num-batched-tokens", "512"])
    assert (settings.preset, settings.seed, settings.max_num_batched_tokens) == (PRESETS["v6e"], 7, 512)
    assert settings.num_gpu_blocks == PRESETS["v6e"].num_gpu_blocks
    assert not ignored
    larger = parse(["--preset=t4", "--preset-billions=3.1", "--num-gpu-blocks-override=77"])[0]
    assert larger.preset == replace(PRESETS["t4"], billions=3.1)
    assert larger.num_gpu_blocks == 77


GAPS = (("inter", "latency_seconds"), ("time_per_output", "seconds"))
RENAMED = {
    "0.9": ({"gpu_cache_usage_perc", "gpu_prefix_cache_hits_total", "time_per_output_token_seconds_count"}, 3),
    "0.10": ({"gpu_cache_usage_perc", "kv_cache_usage_perc", "time_per_output_token_seconds_count"}, 1),
    "0.11": ({"kv_cache_usage_perc", "inter_token_latency_seconds_count", "time_per_output_token_seconds_count"}, 0),
    "0.16": ({"kv_cache_usage_perc", "inter_token_latency_seconds_count", "prefix_cache_hits_total"}, 0),
}


@pytest.mark.parametrize("generation", sorted(GENERATIONS))
def test_names_of_a_generation_are_those_that_the_suite_resolves(generation: str) -> None:
    settings, _ = parse(["--metrics-generation", generation, "--host", "127.0.0.1", "--port", "0", "--itl-ms", "0"])
    with in_background(settings) as url, httpx.Client(base_url=url) as client:
        client.post("/v1/completions", json={"prompt": "x", "max_tokens": 5, "ignore_eos": True})
        found = values(client)
        told = client.get("/metrics").text
        assert client.get("/version").json()["version"].startswith(f"{generation}.")
    there, lacking = RENAMED[generation]
    assert there <= found.keys()
    new = {"kv_cache_usage_perc", "prefix_cache_hits_total", "inter_token_latency_seconds_count"}
    assert len(new - found.keys()) == lacking
    gaps = [found.get(f"{name}_token_{rest}_count") for name, rest in GAPS]
    assert {4.0} <= set(gaps) <= {4.0, None}
    assert missing(Exposition(told)) == []
