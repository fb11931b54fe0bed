"""One question in every form in which clients send it, and what of the answers has to be the same. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.openai.streaming import parse

PATH = "/v1/completions"
_ASCII = "The gate opens when"
# Two, three and four bytes in UTF-8, and a letter made of two characters.
_UNICODE = "Grüße aus 東京 🙂 e\u0301t\u00e9"


@dataclass(frozen=True)
class Form:
    """A way to send a question.

    Attributes:
        name: in words.
        body: JSON text.
        headers: beside the content type.
    """

    name: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> dict[str, str]:
        """With the content type."""
        return {"Content-Type": "application/json", **self.headers}


def forms(model: str) -> tuple[Form, ...]:
    """Every form; the answers repeat the prompt, so that what arrived of it shows."""
    plain = _body(model, _ASCII)
    return (
        Form("plain", plain),
        Form("stream", _body(model, _ASCII, stream=True, stream_options={"include_usage": True})),
        Form("raw UTF-8", _body(model, _UNICODE)),
        Form("escaped Unicode", json.dumps(json.loads(_body(model, _UNICODE)))),
        Form("chunked upload", _body(model, _UNICODE), {"Transfer-Encoding": "chunked"}),
        Form("Expect: 100-continue", plain, {"Expect": "100-continue"}),
    )


def digest(status: int, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """What of an answer must not depend on its way.

    Args:
        status: of HTTP; 0 for no whole answer.
        headers: names in lower case.
        body: text.
    """
    kind = headers.get("content-type", "").partition(";")[0]
    told: dict[str, Any] = {"status": status, "content-type": kind}
    if kind == "text/event-stream":
        stream = parse(body)
        told |= {"text": stream.text, "ends": stream.finish_reasons, "usage": _usage(stream.usage)}
        return told | {"done": stream.done, "length stated": "content-length" in headers}
    try:
        found = json.loads(body)
        choice = found["choices"][0]
        return told | {
            "text": choice["text"],
            "ends": [choice["finish_reason"]],
            "usage": _usage(found["usage"]),
            "model": found["model"],
        }
    except (ValueError, LookupError, TypeError):
        return told | {"body": body[:200]}


def differences(direct: Mapping[str, Any], through: Mapping[str, Any]) -> list[str]:
    """What is different, one line each: what the server says to whoever asks it directly, and what came."""
    keys = dict.fromkeys([*direct, *through])
    return [
        f"{key} is {through.get(key)!r}, and {direct.get(key)!r} from the server itself"
        for key in keys
        if direct.get(key) != through.get(key)
    ]


def _usage(found: Any) -> dict[str, Any] | None:
    """Its numbers of tokens: details are about caches, and depend on who asked before."""
    if not isinstance(found, dict):
        return None
    return {key: found.get(key) for key in ("prompt_tokens", "completion_tokens", "total_tokens")}


def _body(model: str, prompt: str, **fields: Any) -> str:
    asked = {"model": model, "prompt": prompt, "max_tokens": 6, "temperature": 0, "seed": 7, "echo": True}
    return json.dumps(asked | fields, ensure_ascii=False)
