"""What is wrong with the chunks of a stream, each by itself and all together, as client libraries read them. Pure.

Source of the rules: OpenAI's reference of the chat completion chunk object, and vLLM's `protocol.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tools.openai.streaming import Stream

_KINDS = {True: "chat.completion.chunk", False: "text_completion"}
_ENDS = ("stop", "length")
# A broken server breaks each chunk: a few of them tell enough.
_TOLD = 5


def trouble(stream: Stream, model: str, *, chat: bool) -> list[str]:
    """What is wrong, one line each.

    Args:
        stream: of one choice, with usage asked for.
        model: that was asked for.
        chat: of /v1/chat/completions, else of /v1/completions.
    """
    lines = [
        f"chunk {number}: {line}" for number, chunk in enumerate(stream.chunks) for line in _of(chunk, model, chat)
    ]
    more = len(lines) - _TOLD
    return [*lines[:_TOLD], *([f"and {more} more"] if more > 0 else []), *_together(stream, chat)]


def _of(chunk: Any, model: str, chat: bool) -> Iterator[str]:
    if not isinstance(chunk, Mapping):
        yield f"it is no object but {chunk!r}"
        return
    if "error" in chunk:
        yield f"an error inside the stream: {chunk['error']}"
        return
    if chunk.get("object") != _KINDS[chat]:
        yield f"object is {chunk.get('object')!r}, not {_KINDS[chat]}"
    if chunk.get("model") != model:
        yield f"model is {chunk.get('model')!r}, not {model}"
    if not isinstance(chunk.get("created"), int):
        yield f"created is {chunk.get('created')!r}, no Unix time"
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        yield f"choices is {choices!r}"
        return
    for choice in choices:
        yield from _of_choice(choice, chat)


def _of_choice(choice: Any, chat: bool) -> Iterator[str]:
    if not isinstance(choice, Mapping) or choice.get("index") != 0:
        yield f"a choice that is not the first and only one: {choice!r}"
        return
    text = choice.get("delta") if chat else choice.get("text")
    if not isinstance(text, Mapping if chat else str):
        yield f"{'delta' if chat else 'text'} is {text!r}"
    if choice.get("finish_reason") not in (None, *_ENDS):
        yield f"finish_reason is {choice.get('finish_reason')!r}"


def _together(stream: Stream, chat: bool) -> Iterator[str]:
    chunks = [each for each in stream.chunks if isinstance(each, Mapping)]
    ids = {each.get("id") for each in chunks}
    if len(ids) != 1 or not all(ids):
        yield f"ids are {sorted(map(str, ids))}, not one for all"
    choices = [each["choices"][0] for each in chunks if each.get("choices")]
    ends = [place for place, each in enumerate(choices) if each.get("finish_reason")]
    if ends != [len(choices) - 1]:
        yield f"finish_reason is in chunks {ends} of {len(choices)} with a choice, not in the last alone"
    if chat and (not choices or choices[0].get("delta", {}).get("role") != "assistant"):
        yield "the first delta does not say role assistant"
    last = chunks[-1] if chunks else {}
    if last.get("choices") != [] or not last.get("usage"):
        yield "the last chunk is not the one with usage and without choices (stream_options.include_usage)"
