"""Clients of the engine model in virtual time: each asks anew as soon as it has its answer."""

import heapq
import itertools
from dataclasses import dataclass
from typing import Any

from tools.simulator.kvcache import PrefixCache
from tools.simulator.model import Engine, Job
from tools.simulator.presets import PRESETS, Preset


def engine(preset: Preset | str = "t4", *, prefixes: bool = True, **changes: Any) -> Engine:
    """A model with room for everything, but for what is told otherwise."""
    chosen = PRESETS[preset] if isinstance(preset, str) else preset
    told: dict[str, Any] = {"max_num_seqs": 256, "block_size": 16, "num_gpu_blocks": chosen.num_gpu_blocks}
    told |= {"max_num_batched_tokens": chosen.max_num_batched_tokens, **changes}
    cache = PrefixCache(told["block_size"], told["num_gpu_blocks"]) if prefixes else None
    return Engine(chosen, prefix_cache=cache, **told)


@dataclass(frozen=True)
class Measured:
    """End-to-end latencies in seconds, ascending, and output tokens per second."""

    latencies: tuple[float, ...]
    tokens_per_s: float

    def quantile(self, share: float) -> float:
        """The latency below which such a share is."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def closed_loop(model: Engine, *, clients: int, requests: int, prompt_tokens: int, output: int) -> Measured:
    """Run requests with prompts of their own, `clients` at a time; nothing here takes real time."""
    numbers = itertools.count()
    coming = list[tuple[float, int, Job]]()
    asked = dict[Job, float]()
    latencies = list[float]()
    now = 0.0

    def ask() -> None:
        number = next(numbers)
        if number < requests:
            job = Job([f"{number}/{place}" for place in range(prompt_tokens)], output)
            asked[job] = now
            heapq.heappush(coming, (now + model.request_s(), number, job))

    for _ in range(clients):
        ask()
    while coming or model.busy:
        if not model.busy:
            now = max(now, coming[0][0])
        while coming and coming[0][0] <= now:
            model.add(heapq.heappop(coming)[2])
        now += model.begin_step().seconds
        for job in model.end_step():
            if job.produced == job.output:
                latencies.append(now - asked[job])
                ask()
    return Measured(tuple(sorted(latencies)), requests * output / now)
