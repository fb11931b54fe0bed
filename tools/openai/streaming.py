"""Server-sent events of a streamed answer, read as a client library would read them. Pure."""

import json
from dataclasses import dataclass
from typing import Any

DONE = "[DONE]"


@dataclass(frozen=True)
class Stream:
    """A streamed answer taken apart.

    Attributes:
        chunks: decoded events in order, without the last `[DONE]`.
        done: whether the last event was `[DONE]`.
        trailing: events after `[DONE]`.
        undecodable: events that are not JSON.
    """

    chunks: tuple[Any, ...]
    done: bool
    trailing: int
    undecodable: tuple[str, ...]

    @property
    def text(self) -> str:
        """The generated text of the first choice."""
        choices = [chunk["choices"][0] for chunk in self.chunks if chunk.get("choices")]
        return "".join((choice.get("delta", {}).get("content") or choice.get("text") or "") for choice in choices)

    @property
    def finish_reasons(self) -> list[str]:
        """Reasons given for the end of the first choice; exactly one in a good stream."""
        choices = [chunk["choices"][0] for chunk in self.chunks if chunk.get("choices")]
        return [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]

    @property
    def usage(self) -> dict[str, int] | None:
        """Usage as the last chunk that has it says."""
        found = [chunk["usage"] for chunk in self.chunks if chunk.get("usage")]
        return found[-1] if found else None


def parse(body: str) -> Stream:
    """Take a `text/event-stream` body apart (each event one or more `data:` lines, ended by an empty line)."""
    events = ["\n".join(_data(block)) for block in body.replace("\r\n", "\n").split("\n\n")]
    events = [event for event in events if event]
    end = events.index(DONE) if DONE in events else len(events)
    chunks, bad = [], []
    for event in events[:end]:
        try:
            chunks.append(json.loads(event))
        except ValueError:
            bad.append(event)
    return Stream(tuple(chunks), end < len(events), len(events[end + 1 :]), tuple(bad))


def _data(block: str) -> list[str]:
    return [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
