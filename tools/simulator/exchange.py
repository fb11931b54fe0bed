"""One request being answered, whole or as a stream."""

import asyncio
import time
from dataclasses import dataclass

from tools.simulator import replies
from tools.simulator.engine import Generation, generate, with_echo
from tools.simulator.misbehaviour import Misbehaviour
from tools.simulator.protocol import Call, Task
from tools.simulator.sequence import Emit, Scheduler, Sequence
from tools.simulator.streams import EventStream


@dataclass(frozen=True)
class Exchange:
    """A checked request with everything its reply needs.

    Args:
        call: the request.
        request_id: as it stands in the reply.
        created: Unix time in seconds.
        model: the name that the reply carries.
        sequences: one for each choice, those of the first prompt first.
    """

    call: Call
    request_id: str
    created: int
    model: str
    sequences: tuple[Sequence, ...]

    @property
    def prompt_tokens(self) -> int:
        """Prompt tokens as usage counts them: each prompt once, whatever n is."""
        return sum(len(task.prompt.tokens) for task in self.call.tasks)


def begin(call: Call, own_id: str, model: str, arrival: float, faults: Misbehaviour) -> Exchange:
    """Work out what will be answered; `arrival` is in seconds of the monotonic clock."""
    prefix = "chatcmpl" if call.chat else "cmpl"
    sequences = (
        Sequence(task, faults.generation(_generation(call, task, index)), arrival)
        for task in call.tasks
        for index in range(call.n)
    )
    return Exchange(call, f"{prefix}-{own_id}", int(time.time()), faults.model(model), tuple(sequences))


def _generation(call: Call, task: Task, index: int) -> Generation:
    generation = generate(task.prompt.tokens, task.sampling, index)
    return with_echo(generation, task.prompt.text, only=call.only_echo) if call.echo else generation


async def answer_whole(exchange: Exchange, scheduler: Scheduler) -> bytes:
    """Run to the end and return the JSON body."""
    async with asyncio.TaskGroup() as group:
        for sequence in exchange.sequences:
            group.create_task(scheduler.run(sequence))
    _count_requests(exchange, scheduler)
    answers = [sequence.generation for sequence in exchange.sequences]
    write = replies.chat_completion if exchange.call.chat else replies.completion
    return replies.dumps(write(exchange.request_id, exchange.created, exchange.model, answers, exchange.prompt_tokens))


async def answer_streamed(exchange: Exchange, scheduler: Scheduler, events: EventStream) -> None:
    """Write each token as an event to an open stream, then usage (if asked for) and [DONE].

    Raises:
        ConnectionResetError: the client has gone, or a fault ends the stream.
    """
    stream = _Stream(exchange, events)
    if len(exchange.sequences) == 1:
        await scheduler.run(exchange.sequences[0], stream.emitter(0))
    else:
        try:
            async with asyncio.TaskGroup() as group:
                for index, sequence in enumerate(exchange.sequences):
                    group.create_task(scheduler.run(sequence, stream.emitter(index)))
        except* ConnectionResetError as gone:
            raise ConnectionResetError("the stream is over") from gone
    _count_requests(exchange, scheduler)
    await stream.end()


def _count_requests(exchange: Exchange, scheduler: Scheduler) -> None:
    n = exchange.call.n
    for start in range(0, len(exchange.sequences), n):
        scheduler.metrics.request_done(n, max(item.produced for item in exchange.sequences[start : start + n]))


class _Stream:
    """The events of one reply."""

    def __init__(self, exchange: Exchange, events: EventStream) -> None:
        self._exchange = exchange
        self._events = events
        self._begun = False
        self._chunks = replies.Chunks(
            chat=exchange.call.chat,
            request_id=exchange.request_id,
            created=exchange.created,
            model=exchange.model,
            continuous_usage=exchange.call.continuous_usage,
        )

    def emitter(self, index: int) -> Emit:
        """The function that writes the tokens of the choice `index`."""
        sequence = self._exchange.sequences[index]
        prompt_tokens = len(sequence.task.prompt.tokens)
        generation, token, write = sequence.generation, self._chunks.token, self._events.write
        last = len(generation.deltas) - 1

        async def emit(position: int) -> None:
            ended = generation if position == last else None
            event = token(index, generation.deltas[position], prompt_tokens, position + 1, ended)
            if not self._begun:
                event = self._opening() + event
            await write(event)

        return emit

    def _opening(self) -> bytes:
        """The role chunks of all choices, which vLLM sends together with the first token of any."""
        self._begun = True
        if not self._exchange.call.chat:
            return b""
        pairs = enumerate(self._exchange.sequences)
        return b"".join(self._chunks.role(index, len(item.task.prompt.tokens)) for index, item in pairs)

    async def end(self) -> None:
        """Usage, if asked for, and the end mark."""
        usage = b""
        if self._exchange.call.include_usage:
            produced = sum(sequence.produced for sequence in self._exchange.sequences)
            usage = self._chunks.usage(self._exchange.prompt_tokens, produced)
        await self._events.end(usage)
