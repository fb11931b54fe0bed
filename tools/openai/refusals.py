"""Requests that a server has to refuse, and how: data, and what is wrong with an answer to one. Pure.

Statuses are those of vLLM 0.6 to 0.16; releases differ in whether a body that does not validate is 400 or 422.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_COMPLETIONS = "/v1/completions"
_CHAT = "/v1/chat/completions"
_JSON = {"Content-Type": "application/json"}
_INVALID = (400, 422)


@dataclass(frozen=True)
class Bad:
    """A request that is to be refused.

    Attributes:
        what: is wrong with it, in words.
        path: where it goes.
        body: JSON text, or what is none.
        statuses: any of which it is refused with.
        headers: that it has.
    """

    what: str
    path: str
    body: str
    statuses: tuple[int, ...] = _INVALID
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)


def bad_requests(model: str) -> tuple[Bad, ...]:
    """One of each kind.

    Args:
        model: that is served.
    """

    def completion(**fields: Any) -> str:
        return json.dumps({"model": model, "prompt": "The gate opens", "max_tokens": 2} | fields)

    message = {"role": "user", "content": "Say a word."}
    return (
        Bad("a body that is no JSON", _COMPLETIONS, '{"model": '),
        Bad("a body that is no object", _COMPLETIONS, json.dumps([model])),
        Bad("another content type", _COMPLETIONS, completion(), (*_INVALID, 415), {"Content-Type": "text/plain"}),
        Bad("no prompt", _COMPLETIONS, json.dumps({"model": model, "max_tokens": 2})),
        Bad("no tokens to generate", _COMPLETIONS, completion(max_tokens=-1)),
        Bad("a number that is none", _COMPLETIONS, completion(max_tokens="many")),
        Bad("a negative temperature", _COMPLETIONS, completion(temperature=-1)),
        Bad("top_p above 1", _COMPLETIONS, completion(top_p=1.5)),
        Bad("no answers", _COMPLETIONS, completion(n=0)),
        Bad("options of a stream without a stream", _COMPLETIONS, completion(stream_options={"include_usage": True})),
        Bad("messages that are no list", _CHAT, json.dumps({"model": model, "messages": "Say a word."})),
        Bad("a message without a role", _CHAT, json.dumps({"model": model, "messages": [{"content": "Say."}]})),
        Bad("a model that is not served", _CHAT, json.dumps({"model": "no/such", "messages": [message]}), (404,)),
    )


def trouble(bad: Bad, status: int, body: str) -> str:
    """What is wrong with a server's answer to a bad request; empty if it is refused as the API has it."""
    if status not in bad.statuses:
        return f"{status}, not {' or '.join(map(str, bad.statuses))}: {body[:120]!r}"
    error = error_of(body)
    if error is None:
        return f"{status} without an error object: {body[:120]!r}"
    wrong = [f"{key} is {error.get(key)!r}" for key in ("message", "type") if not isinstance(error.get(key), str)]
    wrong += [] if error.get("message") else ["message is empty"]
    # vLLM has the status for a code; OpenAI's own API a word, or null.
    code = error.get("code")
    wrong += [f"code is {code}, the status {status}"] if isinstance(code, int) and code != status else []
    return "; ".join(wrong)


def error_of(body: str) -> Mapping[str, Any] | None:
    """The error object in a body: OpenAI's form, or that of vLLM until 0.9; None if there is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    error = found if found.get("object") == "error" else found.get("error")
    return error if isinstance(error, dict) else None
