"""The simulator's model of an engine, in virtual time: its rules, and its distance from what was measured."""

from dataclasses import replace

import pytest

from tests.simulator_clients import Measured, closed_loop, engine
from tools.simulator.model import Engine, Job
from tools.simulator.presets import PRESETS, PUBLISHED, PUBLISHED_PROMPT_TOKENS, WITHIN, Preset, Published

# A second for a step, a millisecond for each prompt token, and no chance in it.
PLAIN = Preset(
    fixed_s=1.0,
    per_billion_s=0.0,
    per_sequence_s=0.0,
    per_prompt_token_s=0.001,
    request_s=0.0,
    jitter=0.0,
    max_num_batched_tokens=1000,
    num_gpu_blocks=1000,
    billions=1.0,
)


def prompt(name: str, tokens: int) -> list[str]:
    return [f"{name}{number}" for number in range(tokens)]


def run(model: Engine, *jobs: Job) -> dict[Job, list[float]]:
    """Run to the end; when each job had each of its tokens."""
    for job in jobs:
        model.add(job)
    now, got = 0.0, {job: list[float]() for job in jobs}
    while model.busy:
        now += model.begin_step().seconds
        for job in model.end_step():
            got[job].append(now)
    return got


def measured(row: Published) -> tuple[Measured, float]:
    """The model under a row's load, for one replica, and how many replicas there are for its clients."""
    clients = max(1, round(row.clients / row.replicas))
    model = engine(replace(PRESETS[row.preset], billions=row.billions))
    found = closed_loop(
        model,
        clients=clients,
        requests=max(60, 8 * clients),
        prompt_tokens=PUBLISHED_PROMPT_TOKENS,
        output=row.max_tokens,
    )
    return found, row.clients / clients


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: str(row.source))
def test_latency_and_throughput_are_near_the_published_ones(row: Published) -> None:
    found, replicas = measured(row)
    near = WITHIN[row.preset]
    assert found.quantile(0.5) == pytest.approx(row.p50_s, rel=near)
    assert found.tokens_per_s * replicas == pytest.approx(row.tokens_per_s, rel=near)
    least = 0.9 if row.preset == "t4" else 0.7
    assert least * row.p95_s <= found.quantile(0.95) <= 1.05 * row.p95_s


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_more_clients_give_more_tokens_a_second_and_longer_latencies(name: str) -> None:
    runs = [closed_loop(engine(name), clients=n, requests=8 * n, prompt_tokens=80, output=50) for n in (1, 8, 32, 128)]
    tokens = [one.tokens_per_s for one in runs]
    latencies = [one.quantile(0.5) for one in runs]
    assert tokens == sorted(tokens)
    assert latencies == sorted(latencies)
    assert tokens[1] < 8 * tokens[0]


def test_the_same_seed_gives_the_same_times_and_another_one_others() -> None:
    runs = [
        closed_loop(engine("t4", seed=seed), clients=4, requests=20, prompt_tokens=80, output=20) for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_a_step_takes_its_decoding_sequences_and_its_prompt_tokens() -> None:
    preset = replace(PLAIN, per_sequence_s=0.1, per_billion_s=2.0, billions=3.0)
    assert preset.step_s(2, 10) == pytest.approx(1.0 + 3.0 * (2.0 + 0.2 + 0.01))
    first, second = Job(prompt("a", 10), 3), Job(prompt("b", 20), 3)
    got = run(engine(PLAIN), first, second)
    assert got[first] == got[second] == [pytest.approx(1.03), pytest.approx(2.03), pytest.approx(3.03)]


def test_a_long_prompt_is_computed_in_chunks_while_others_decode() -> None:
    short, long = Job(prompt("a", 10), 6), Job(prompt("b", 2500), 1)
    got = run(engine(PLAIN), short, long)
    # 1000 tokens a step: 10 + 990, then 1 + 999, then 1 + 511.
    assert got[long] == [got[short][2]]
    assert got[long] == [pytest.approx(3 + 0.010 + 2.5)]


def test_more_sequences_than_slots_wait_in_their_order() -> None:
    jobs = [Job(prompt(name, 4), 2) for name in "abcde"]
    model = engine(PLAIN, max_num_seqs=2)
    firsts = [times[0] for times in run(model, *jobs).values()]
    assert firsts == sorted(firsts)
    assert firsts[0] == firsts[1] < firsts[2] == firsts[3] < firsts[4]


def test_a_known_prefix_is_not_computed_again() -> None:
    shared = prompt("shared", 160)
    model = engine(PLAIN)
    run(model, first := Job([*shared, "x"], 1))
    got = run(model, second := Job([*shared, "y"], 1))
    assert (first.cached, second.cached) == (0, 160)
    assert got[second] == [pytest.approx(1.001)]
    again = engine(PLAIN, prefixes=False)
    run(again, Job([*shared, "x"], 1))
    assert run(again, other := Job([*shared, "y"], 1))[other] == [pytest.approx(1.161)]


def test_without_free_blocks_the_last_one_admitted_is_put_back_and_computes_anew() -> None:
    model = engine(PLAIN, num_gpu_blocks=4, block_size=4, prefixes=False)
    first, second = Job(prompt("a", 7), 8), Job(prompt("b", 7), 8)
    model.add(first)
    model.add(second)
    preempted, recomputed = 0, 0
    while model.busy:
        step = model.begin_step()
        preempted += step.preempted
        recomputed += sum(job.produced > 0 for job in step.admitted)
        assert model.used_blocks == sum(job.blocks for job in model.running) <= 4
        model.end_step()
    assert preempted == recomputed > 0
    assert (first.produced, second.produced, model.used_blocks) == (8, 8, 0)
    assert second.cached == 0


def test_one_sequence_alone_goes_on_when_blocks_run_out() -> None:
    model = engine(PLAIN, num_gpu_blocks=2, block_size=4)
    got = run(model, job := Job(prompt("a", 20), 10))
    assert len(got[job]) == 10
    assert model.used_blocks == 0


def test_a_sequence_whose_client_has_gone_leaves_nothing_behind() -> None:
    model = engine(PLAIN, max_num_seqs=1)
    running, waiting = Job(prompt("a", 4), 100), Job(prompt("b", 4), 100)
    model.add(running)
    model.add(waiting)
    model.begin_step()
    model.drop(waiting)
    model.drop(running)
    assert model.end_step() == []
    assert (model.busy, model.used_blocks) == (False, 0)
    model.drop(running)
