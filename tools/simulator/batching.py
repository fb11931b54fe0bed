"""The scheduler that runs the model of an engine (`model`) in real time.

One task makes step after step while there is work; each sequence has a coroutine of its own that waits for its tokens
and writes them, so that a slow client holds up nobody else.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field

from tools.simulator.kvcache import PrefixCache
from tools.simulator.metrics import EngineMetrics
from tools.simulator.misbehaviour import Misbehaviour
from tools.simulator.model import Engine, Job
from tools.simulator.presets import Preset
from tools.simulator.sequence import Emit, Sequence, Times, summary
from tools.simulator.settings import Settings

log = logging.getLogger("simulator")

# Late wake-ups of a step are made up for by the next ones, but not what a standstill has missed.
_CATCH_UP_S = 0.05


@dataclass(eq=False)
class _Run:
    """A sequence in the engine, and who waits for its tokens; `each` is false if only the last one is waited for."""

    sequence: Sequence
    job: Job
    times: Times
    each: bool
    more: asyncio.Event = field(default_factory=asyncio.Event)


class BatchedScheduler:
    """Batches, queues and preempts as `model` says, and paces by it."""

    def __init__(self, settings: Settings, preset: Preset, faults: Misbehaviour) -> None:
        self._settings = settings
        self._faults = faults
        prefixes = PrefixCache(settings.block_size, settings.num_gpu_blocks) if settings.prefix_caching else None
        self._engine = Engine(
            preset,
            max_num_seqs=settings.max_num_seqs,
            max_num_batched_tokens=settings.max_num_batched_tokens or preset.max_num_batched_tokens,
            block_size=settings.block_size,
            num_gpu_blocks=settings.num_gpu_blocks,
            prefix_cache=prefixes,
            seed=settings.seed,
        )
        self._runs: dict[Job, _Run] = {}
        self._steps: asyncio.Task[None] | None = None
        self.metrics = EngineMetrics(
            settings,
            running=lambda: len(self._engine.running),
            waiting=lambda: len(self._engine.waiting),
            cache_usage=lambda: min(1.0, self._engine.used_blocks / settings.num_gpu_blocks),
        )

    async def run(self, sequence: Sequence, emit: Emit | None = None) -> None:
        """See `Scheduler`."""
        await asyncio.sleep(self._engine.request_s() * self._faults.pace())
        job = Job(sequence.task.prompt.tokens, len(sequence.generation.deltas))
        run = _Run(sequence, job, Times(queued=time.monotonic()), each=emit is not None)
        self._runs[job] = run
        self._engine.add(job)
        if self._steps is None or self._steps.done():
            self._steps = asyncio.create_task(self._work(), name="engine")
            self._steps.add_done_callback(_tell)
        try:
            await _deliver(run, emit)
        finally:
            self._engine.drop(job)
            del self._runs[job]

    async def _work(self) -> None:
        """Make steps until there is nothing to do."""
        due = time.monotonic()
        while self._engine.busy:
            await self._faults.before_token()
            if not self._engine.busy:
                return  # the clients went away meanwhile
            step = self._engine.begin_step()
            now = time.monotonic()
            for job in step.admitted:
                self._admitted(job, now)
            self.metrics.preemptions.inc(step.preempted)
            due = max(due, now - _CATCH_UP_S) + step.seconds * self._faults.pace()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self.metrics.stepped(sum(self._token(job, now) for job in self._engine.end_step()))

    def _admitted(self, job: Job, now: float) -> None:
        run = self._runs[job]
        if run.times.scheduled:
            return  # again, after it was preempted
        run.times.scheduled = now
        if self._settings.prefix_caching:
            self.metrics.looked_up(len(job.prompt), job.cached or 0)

    def _token(self, job: Job, now: float) -> int:
        """Give a sequence its next token; returns what it adds to the tokens of this step."""
        run = self._runs[job]
        sequence, times, counted = run.sequence, run.times, 1
        sequence.produced += 1
        if sequence.produced == 1:
            times.first = now
            counted += len(job.prompt)
            self.metrics.prefilled(len(job.prompt), job.cached or 0, now - sequence.arrival)
        else:
            self.metrics.decoded(now - times.last)
        times.last = now
        if sequence.produced == job.output:
            self.metrics.finished(summary(sequence, job.cached or 0, times))
            run.more.set()
        elif run.each:
            run.more.set()
        return counted


async def _deliver(run: _Run, emit: Emit | None) -> None:
    """Wait for the tokens of a sequence and give each to `emit`, until it has them all."""
    given = 0
    while given < run.job.output:
        await run.more.wait()
        run.more.clear()
        while given < run.sequence.produced:
            if emit is not None:
                await emit(given)
            given += 1


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the engine has failed", exc_info=task.exception())
