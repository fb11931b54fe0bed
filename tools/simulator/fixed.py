"""The scheduler without a model of an accelerator: the same times for every sequence, however many run."""

import asyncio
import time

from tools.simulator.engine import Timing
from tools.simulator.kvcache import PrefixCache, blocks_for
from tools.simulator.metrics import EngineMetrics
from tools.simulator.misbehaviour import Misbehaviour
from tools.simulator.sequence import Emit, Sequence, Times, summary
from tools.simulator.settings import Settings


class FixedScheduler:
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
        """See `Scheduler`."""
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
        times = Times(queued=sequence.arrival, scheduled=time.monotonic())
        for position in range(len(sequence.generation.deltas)):
            # Measured from scheduling, so that late wake-ups do not add up. A delay of 0 lets other sequences go on.
            due = times.scheduled + self._timing.due(position) * self._faults.pace()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._faults.before_token()
            now = time.monotonic()
            sequence.produced += 1
            if position == 0:
                times.first = now
                self.metrics.prefilled(len(prompt), cached, now - sequence.arrival)
                self.metrics.stepped(len(prompt) + 1)
            else:
                self.metrics.decoded(now - times.last)
                self.metrics.stepped(1)
            times.last = now
            if position == len(sequence.generation.deltas) - 1:
                # Before the last token goes out: a client that has it all must find it counted.
                self.metrics.finished(summary(sequence, cached, times))
            if emit is not None:
                await emit(position)

    def _admit_to_cache(self, prompt: tuple[str, ...]) -> int:
        if not self._settings.prefix_caching:
            return 0
        cached = self._cache.admit(prompt)
        self.metrics.looked_up(len(prompt), cached)
        return cached

    def _cache_usage(self) -> float:
        size = self._settings.block_size
        used = sum(blocks_for(len(item.task.prompt.tokens) + item.produced, size) for item in self._running)
        return min(1.0, used / self._settings.num_gpu_blocks)
