"""One answer on its way, and what any scheduler does with it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from tools.simulator.engine import Generation
from tools.simulator.metrics import EngineMetrics, Finished
from tools.simulator.protocol import Task

Emit = Callable[[int], Awaitable[None]]


@dataclass(eq=False)
class Sequence:
    """One answer; `produced` counts the tokens it has so far, `arrival` is in seconds of the monotonic clock."""

    task: Task
    generation: Generation
    arrival: float
    produced: int = field(default=0, init=False)


class Scheduler(Protocol):
    """Decides which sequences run and when each has its next token, and moves the metrics as it happens."""

    metrics: EngineMetrics

    async def run(self, sequence: Sequence, emit: Emit | None = None) -> None:
        """Produce all tokens of a sequence, calling `emit` with the position of each at its time.

        Cancelling it (the client has gone) frees its place and counts it nowhere as finished, as in vLLM.
        """


@dataclass
class Times:
    """When what happened to a sequence, in seconds of the monotonic clock."""

    queued: float
    scheduled: float = 0.0
    first: float = 0.0
    last: float = 0.0


def summary(sequence: Sequence, cached: int, times: Times) -> Finished:
    """What is known of a sequence that has its last token."""
    return Finished(
        reason=sequence.generation.finish_reason,
        prompt_tokens=len(sequence.task.prompt.tokens),
        cached_tokens=cached,
        generated_tokens=sequence.produced,
        max_tokens=sequence.task.sampling.max_tokens,
        queued=times.scheduled - times.queued,
        prefill=times.first - times.scheduled,
        decode=times.last - times.first,
        e2e=times.last - sequence.arrival,
    )
