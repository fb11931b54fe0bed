"""The engine as a model: batch slots, queue, KV blocks and steps, without a clock.

Whoever drives it says when: `begin_step` decides what a step does and how long it takes, `end_step` gives the tokens
that it produced. So the same model runs in real time behind the server (`batching`) and in virtual time in tests.

The rules are those of vLLM's scheduler (vllm/v1/core/sched/scheduler.py, 0.16), as far as they show from outside:
- Running sequences come first, then the queue in order, while slots, tokens of the step's budget and KV blocks last.
- A prompt longer than what is left of the budget is computed in chunks; it has its first token after its last chunk.
- Prompt blocks that the prefix cache knows are not computed again.
- When blocks run out, the sequence that was admitted last is put back to the head of the queue, loses its blocks, and
  computes prompt and output once more later.

Simpler than there: sequences with the same prefix hold a block each, and one sequence alone may hold more blocks than
there are (vLLM refuses to start when its longest context does not fit).
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.simulator.kvcache import PrefixCache, blocks_for
from tools.simulator.presets import Preset


@dataclass(eq=False)
class Job:
    """One sequence in the engine.

    Attributes:
        prompt: its prompt tokens.
        output: tokens that it will produce, at least 1.
        produced: tokens that it has produced.
        computed: tokens whose keys and values are in the cache.
        cached: prompt tokens that were there when it was admitted for the first time; None before that.
        blocks: KV blocks that it holds.
    """

    prompt: Sequence[str]
    output: int
    produced: int = field(default=0, init=False)
    computed: int = field(default=0, init=False)
    cached: int | None = field(default=None, init=False)
    blocks: int = field(default=0, init=False)

    @property
    def to_compute(self) -> int:
        """Tokens to compute before the next one comes out; 1 while it decodes."""
        return len(self.prompt) + self.produced - self.computed


@dataclass(frozen=True)
class Step:
    """What one step does.

    Args:
        seconds: how long it takes.
        admitted: sequences that left the queue for it.
        preempted: sequences that were put back to the queue for it.
        tokens: that it computes.
    """

    seconds: float
    admitted: tuple[Job, ...]
    preempted: int
    tokens: int


class Engine:
    """The sequences of one server.

    Args:
        preset: durations.
        max_num_seqs: batch slots.
        max_num_batched_tokens: that a step computes at most.
        block_size, num_gpu_blocks: of the KV cache.
        prefix_cache: None: nothing is remembered.
        seed: of the jitter.
    """

    def __init__(
        self,
        preset: Preset,
        *,
        max_num_seqs: int,
        max_num_batched_tokens: int,
        block_size: int,
        num_gpu_blocks: int,
        prefix_cache: PrefixCache | None,
        seed: int = 0,
    ) -> None:
        self.waiting: deque[Job] = deque()
        self.running: list[Job] = []
        self.used_blocks = 0
        self._preset = preset
        self._slots = max_num_seqs
        self._budget = max_num_batched_tokens
        self._block_size = block_size
        self._blocks = num_gpu_blocks
        self._prefixes = prefix_cache
        self._draw = random.Random(seed)
        self._shares: dict[Job, int] = {}

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.running or self.waiting)

    def add(self, job: Job) -> None:
        """Put a sequence to the end of the queue."""
        self.waiting.append(job)

    def drop(self, job: Job) -> None:
        """Forget a sequence whose client has gone, wherever it is."""
        if job in self.running:
            self.running.remove(job)
            self._free(job)
        elif job in self.waiting:
            self.waiting.remove(job)
        self._shares.pop(job, None)

    def begin_step(self) -> Step:
        """Decide what the next step computes; `busy` must hold."""
        self._shares = {}
        left, preempted = self._go_on()
        admitted = [] if preempted else self._admit(left)
        decoding = sum(1 for job in self._shares if job.produced and job.to_compute == 1)
        tokens = sum(self._shares.values())
        seconds = self._preset.step_s(decoding, tokens - decoding) * self._jitter()
        return Step(seconds, tuple(admitted), preempted, tokens)

    def end_step(self) -> list[Job]:
        """Finish the step; returns the sequences that have a token more, those that are done with it no longer run."""
        got = []
        for job, share in self._shares.items():
            job.computed += share
            if job.to_compute == 0:
                job.produced += 1
                got.append(job)
                if job.produced == job.output:
                    self.running.remove(job)
                    self._free(job)
        self._shares = {}
        return got

    def request_s(self) -> float:
        """What the next request takes outside of steps, in seconds."""
        return self._preset.request_s * self._jitter()

    def _go_on(self) -> tuple[int, int]:
        """Give running sequences their share of a step; returns what is left of it and how many were put back."""
        left, preempted, place = self._budget, 0, 0
        while place < len(self.running) and left:
            job = self.running[place]
            share = min(job.to_compute, left)
            while not self._hold(job, share) and len(self.running) > 1:
                last = self.running.pop()
                left += self._shares.pop(last, 0)
                self._free(last)
                last.computed = 0
                self.waiting.appendleft(last)
                preempted += 1
                if last is job:
                    return left, preempted
            self._shares[job] = share
            left -= share
            place += 1
        return left, preempted

    def _admit(self, left: int) -> list[Job]:
        """Take sequences from the queue while there is room for their first chunk."""
        admitted = []
        while self.waiting and left and len(self.running) < self._slots:
            job = self.waiting[0]
            cached = self._prefixes.lookup(job.prompt) if self._prefixes else 0
            share = min(len(job.prompt) + job.produced - cached, left)
            job.computed = cached
            if not self._hold(job, share):
                job.computed = 0
                break
            if self._prefixes:
                self._prefixes.remember(job.prompt)
            if job.cached is None:
                job.cached = cached
            self.running.append(self.waiting.popleft())
            self._shares[job] = share
            left -= share
            admitted.append(job)
        return admitted

    def _hold(self, job: Job, share: int) -> bool:
        """Take the blocks that a share needs, if there are so many or nobody else has any."""
        more = blocks_for(job.computed + share, self._block_size) - job.blocks
        if self.used_blocks + more > self._blocks and self.used_blocks > job.blocks:
            return False
        job.blocks += more
        self.used_blocks += more
        return True

    def _free(self, job: Job) -> None:
        self.used_blocks -= job.blocks
        job.blocks = 0

    def _jitter(self) -> float:
        return max(0.5, self._draw.gauss(1.0, self._preset.jitter))
