"""Requests in: from the bytes of a body to a checked `Call`, or an `ApiError` in vLLM's words.

The order of the checks is vLLM's (JSON, fields, model, prompt length, values), so that a request with several faults is
told the same one by both.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tools.simulator import fields
from tools.simulator.engine import Sampling
from tools.simulator.errors import ApiError, bad_value, invalid_body, invalid_request, unknown_model, unsupported
from tools.simulator.prompts import Prompt, chat_prompt, plain_prompt, read_messages, read_prompts, room_for

COMPLETION_MAX_TOKENS = 16
MOST_CHOICES = 128
TOOLS_NEED_FLAGS = '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
# What vLLM can do and the simulator would have to pretend: refused rather than ignored.
_REFUSED = (
    "prompt_logprobs", "use_beam_search", "prompt_embeds", "structured_outputs", "truncate_prompt_tokens",
    "return_token_ids", "allowed_token_ids", "stop_token_ids",
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One prompt of a request with what decides its output."""

    prompt: Prompt
    sampling: Sampling


@dataclass(frozen=True)
class Call:
    """A checked request.

    Args:
        chat: a chat completion, else a plain one.
        tasks: one for a chat, one or more for a plain completion.
        n: answers for each task.
        stream: reply with server-sent events.
        include_usage: send the usage in a last chunk.
        continuous_usage: send it in every chunk too.
        echo: repeat the prompt before the output (plain completions only).
        only_echo: repeat the prompt and nothing else (`max_tokens` 0 with `echo`).
        request_id: the client's own id from the body, or None.
    """

    chat: bool
    tasks: tuple[Task, ...]
    n: int
    stream: bool
    include_usage: bool
    continuous_usage: bool
    echo: bool
    only_echo: bool
    request_id: str | None


def decode(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the JSON object in a body.

    Raises:
        ApiError: 400 for another content type, for what is not JSON, and for JSON that is no object.
    """
    if content_type.split(";", maxsplit=1)[0].strip().lower() != "application/json":
        raise invalid_request("Unsupported Media Type: Only 'application/json' is allowed")
    if not body:
        raise invalid_request({"type": "missing", "loc": ("body",), "msg": "Field required", "input": None})
    try:
        data = json.loads(body)
    except json.JSONDecodeError as error:
        raise _not_json(error.pos, error.msg) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise _not_json(0, str(error)) from None
    if not isinstance(data, dict):
        message = "Input should be a valid dictionary or object to extract fields from"
        raise invalid_request({"type": "model_attributes_type", "loc": ("body",), "msg": message})
    return data


def _not_json(position: int, message: str) -> ApiError:
    problem = {"type": "json_invalid", "loc": ("body", position), "msg": "JSON decode error", "input": {}}
    return invalid_request({**problem, "ctx": {"error": message}})


def read_call(data: dict[str, Any], *, chat: bool, served: Sequence[str], max_model_len: int) -> Call:
    """Check a decoded body against one of the two endpoints.

    Args:
        data: the JSON object.
        chat: for /v1/chat/completions, else for /v1/completions.
        served: names of the served model; a request without a name is for the first.
        max_model_len: context length in tokens.

    Raises:
        ApiError: the refusal, with vLLM's status and body.
    """
    stream = fields.flag(data, "stream")
    options = fields.mapping(data, "stream_options")
    if options and not stream:
        raise invalid_body("Stream options can only be defined when `stream=True`.", data, param="stream_options")
    include_usage = bool(options) and fields.flag(options or {}, "include_usage", True)
    continuous = include_usage and fields.flag(options or {}, "continuous_usage_stats")
    if not chat and data.get("prompt") in (None, "") and data.get("prompt_embeds") in (None, []):
        raise invalid_body("Either prompt or prompt_embeds must be provided and non-empty.", data)
    messages = read_messages(data) if chat else []
    raw_prompts = [] if chat else read_prompts(data)
    sampling, requested, parameter = _sampling(data, chat)
    n = fields.whole(data, "n")
    echo = fields.flag(data, "echo")
    name = fields.text(data, "model")
    request_id = fields.text(data, "request_id")

    if name and name not in served:
        raise unknown_model(name)
    _refuse_unsupported(data, chat)
    room = room_for(requested, max_model_len, parameter)
    prompts = [chat_prompt(messages, room)] if chat else [plain_prompt(raw, room) for raw in raw_prompts]
    only_echo = echo and requested == 0
    tasks = []
    for prompt in prompts:
        most = 1 if only_echo else max_model_len - len(prompt.tokens) if requested is None else requested
        tasks.append(Task(prompt, replace(sampling, max_tokens=most)))
    for task in tasks:
        _check_values(data, 1 if n is None else n, task.sampling)
    return Call(
        chat=chat,
        tasks=tuple(tasks),
        n=1 if n is None else n,
        stream=stream,
        include_usage=include_usage,
        continuous_usage=continuous,
        echo=echo,
        only_echo=only_echo,
        request_id=request_id,
    )


def _sampling(data: dict[str, Any], chat: bool) -> tuple[Sampling, int | None, str]:
    """What decides the output, the requested output tokens (None: as many as fit), and the field they came from."""
    requested = fields.whole(data, "max_tokens", None if chat else COMPLETION_MAX_TOKENS)
    parameter = "max_tokens"
    if chat and (newer := fields.whole(data, "max_completion_tokens")) is not None:
        requested, parameter = newer, "max_completion_tokens"
    sampling = Sampling(
        max_tokens=requested or 0,
        min_tokens=fields.whole(data, "min_tokens") or 0,
        seed=fields.whole(data, "seed"),
        stop=fields.texts(data, "stop"),
        include_stop=fields.flag(data, "include_stop_str_in_output"),
        ignore_eos=fields.flag(data, "ignore_eos"),
        opens_reply=chat,
    )
    return sampling, requested, parameter


def _refuse_unsupported(data: dict[str, Any], chat: bool) -> None:
    if data.get("suffix") is not None:
        raise ApiError(400, "suffix is not currently supported")
    if chat and data.get("tools") and data.get("tool_choice", "auto") == "auto":
        raise ApiError(400, TOOLS_NEED_FLAGS)
    if chat and data.get("tools") and data["tool_choice"] != "none":
        raise unsupported("tool_choice")
    if chat and fields.flag(data, "echo"):
        raise unsupported("echo")
    if data.get("logprobs") not in (None, False):
        raise unsupported("logprobs")
    response_format = fields.mapping(data, "response_format")
    if response_format and response_format.get("type") != "text":
        raise unsupported("response_format")
    for name in _REFUSED:
        if data.get(name) not in (None, False, []):
            raise unsupported(name)


def _check_values(data: dict[str, Any], n: int, sampling: Sampling) -> None:
    """Refuse values out of range, in the order and words of vLLM's SamplingParams."""
    if n < 1:
        raise bad_value(f"n must be at least 1, got {n}.")
    if n > MOST_CHOICES:
        raise bad_value(f"n must be at most {MOST_CHOICES}, got {n}.", "n", n)
    for name in ("presence_penalty", "frequency_penalty"):
        if not -2.0 <= (value := fields.number(data, name) or 0.0) <= 2.0:
            raise bad_value(f"{name} must be in [-2, 2], got {value}.")
    temperature, top_p = fields.number(data, "temperature"), fields.number(data, "top_p")
    if temperature is not None and temperature < 0.0:
        raise bad_value(f"temperature must be non-negative, got {temperature}.", "temperature", temperature)
    if top_p is not None and not 0.0 < top_p <= 1.0:
        raise bad_value(f"top_p must be in (0, 1], got {top_p}.", "top_p", top_p)
    most, least = sampling.max_tokens, sampling.min_tokens
    if most < 1:
        raise bad_value(f"max_tokens must be at least 1, got {most}.", "max_tokens", most)
    if least < 0:
        raise bad_value(f"min_tokens must be greater than or equal to 0, got {least}.")
    if least > most:
        raise bad_value(f"min_tokens must be less than or equal to max_tokens={most}, got {least}.")
    if not all(sampling.stop):
        raise bad_value("stop cannot contain an empty string.")
