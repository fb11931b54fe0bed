"""Runs sequences: who waits, who runs, and each token at its time, with every metric moved as it happens."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tools.simulator.engine import Generation, Timing
from tools.simulator.kvcache import PrefixCache, blocks_for
from tools.simulator.metrics import EngineMetrics, Finished
from tools.simulator.misbehaviour import Misbehaviour
from tools.simulator.protocol import Task
from tools.simulator.settings import Settings

Emit = Callable[[int], Awaitable[None]]


@dataclass(eq=False)
class Sequence:
    """One answer on its way; `produced` counts the tokens it has so far."""

    task: Task
    generation: Generation
    arrival: float
    produced: int = field(default=0, init=False)


class Scheduler:
    """Admits sequences up to `max_num_seqs`, first come first served, and paces them by `timing`."""

    def __init__(self, settings: Settings, faults: Misbehaviour) -> None:
        self._settings = settings
        self._faults = faults
        self._timing = Timing(settings.ttft_ms / 1000, settings.itl_ms / 1000)
        self._slots = asyncio.Semaphore(settings.max_num_seqs)
        self._cache = PrefixCache(settings.block_size, settings.num_gpu_blocks)
        self._running: set[Sequence] = set()
        self._waiting = 0
        self.metrics = EngineMetrics(
            settings,
            running=lambda: len(self._running),
            waiting=lambda: self._waiting,
            cache_usage=self._cache_usage,
        )

    async def run(self, sequence: Sequence, emit: Emit | None = None) -> None:
        """Produce all tokens of a sequence, calling `emit` with the position of each at its time.

        Cancelling it (the client has gone) frees its place and counts it nowhere as finished, as in vLLM.
        """
        self._waiting += 1
        try:
            await self._faults.before_token()
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        self._running.add(sequence)
        try:
            await self._produce(sequence, emit)
        finally:
            self._running.discard(sequence)
            self._slots.release()

    async def _produce(self, sequence: Sequence, emit: Emit | None) -> None:
        prompt = sequence.task.prompt.tokens
        cached = self._admit_to_cache(prompt)
        scheduled = first = last = time.monotonic()
        for position in range(len(sequence.generation.deltas)):
            # Measured from scheduling, so that late wake-ups do not add up. A delay of 0 lets other sequences go on.
            due = scheduled + self._timing.due(position) * self._faults.pace()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._faults.before_token()
            now = time.monotonic()
            sequence.produced += 1
            if position == 0:
                first = now
                self.metrics.prefilled(len(prompt), cached, now - sequence.arrival)
            else:
                self.metrics.decoded(now - last)
            last = now
            if position == len(sequence.generation.deltas) - 1:
                # Before the last token goes out: a client that has it all must find it counted.
                self.metrics.finished(self._summary(sequence, cached, scheduled, first, last))
            if emit is not None:
                await emit(position)

    def _admit_to_cache(self, prompt: tuple[str, ...]) -> int:
        if not self._settings.prefix_caching:
            return 0
        cached = self._cache.admit(prompt)
        self.metrics.cache_queries.inc(len(prompt))
        self.metrics.cache_hits.inc(cached)
        return cached

    def _summary(self, sequence: Sequence, cached: int, scheduled: float, first: float, last: float) -> Finished:
        return Finished(
            reason=sequence.generation.finish_reason,
            prompt_tokens=len(sequence.task.prompt.tokens),
            cached_tokens=cached,
            generated_tokens=sequence.produced,
            max_tokens=sequence.task.sampling.max_tokens,
            queued=scheduled - sequence.arrival,
            prefill=first - scheduled,
            decode=last - first,
            e2e=last - sequence.arrival,
        )

    def _cache_usage(self) -> float:
        size = self._settings.block_size
        used = sum(blocks_for(len(item.task.prompt.tokens) + item.produced, size) for item in self._running)
        return min(1.0, used / self._settings.num_gpu_blocks)
