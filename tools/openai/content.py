"""What makes an answer a good one: status alone never does."""

from collections.abc import Callable, Mapping
from typing import Any

from tools.openai.expect import expect_status, violation
from tools.openai.fingerprint import SERVER
from tools.openai.reply import Reply
from tools.openai.streaming import Stream, parse


def expect_completion(reply: Reply, model: str) -> None:
    """Fail unless a reply is a whole text completion by a server."""
    __tracebackhide__ = True
    expect_status(reply, 200, "a completion", by=SERVER)
    _expect_body(reply, model, "text_completion", lambda choice: choice.get("text"))


def expect_chat(reply: Reply, model: str) -> None:
    """Fail unless a reply is a whole chat completion by a server."""
    __tracebackhide__ = True
    expect_status(reply, 200, "a chat completion", by=SERVER)
    _expect_body(reply, model, "chat.completion", lambda choice: choice.get("message", {}).get("content"))


def expect_stream(reply: Reply) -> Stream:
    """Fail unless a reply is a whole stream: text, one finish reason, usage, `[DONE]` and nothing after it."""
    __tracebackhide__ = True
    expect_status(reply, 200, "a streamed chat completion", by=SERVER)
    kind = reply.headers.get("content-type", "none")
    stream = parse(reply.body)
    wrong = [f"content-type is {kind}"] if not kind.startswith("text/event-stream") else []
    # A length known beforehand means that somebody collected the stream before passing it on.
    wrong += ["it has a content-length"] if "content-length" in reply.headers else []
    wrong += ["it does not end with data: [DONE]"] if not stream.done else []
    wrong += [f"{stream.trailing} events follow [DONE]"] if stream.trailing else []
    wrong += [f"events are not JSON: {stream.undecodable[:2]}"] if stream.undecodable else []
    wrong += [] if stream.text else ["it has no text"]
    wrong += [] if len(stream.finish_reasons) == 1 else [f"finish reasons are {stream.finish_reasons}"]
    wrong += [] if stream.usage and _adds_up(stream.usage) else [f"usage is {stream.usage}"]
    if wrong:
        raise violation(reply, "a whole event stream with usage, ended by [DONE]", "; ".join(wrong))
    return stream


def _expect_body(reply: Reply, model: str, kind: str, text_of: Callable[[dict[str, Any]], Any]) -> None:
    __tracebackhide__ = True
    body = reply.json
    if not isinstance(body, dict) or not body.get("choices"):
        raise violation(reply, f"a JSON object of kind {kind} with choices", "the body is none")
    choice, usage = body["choices"][0], body.get("usage") or {}
    wrong = [] if body.get("object") == kind else [f"object is {body.get('object')!r}"]
    wrong += [] if body.get("model") == model else [f"model is {body.get('model')!r}"]
    wrong += [] if text_of(choice) else ["the first choice has no text"]
    ended = choice.get("finish_reason")
    wrong += [] if ended in ("stop", "length") else [f"finish_reason is {ended!r}"]
    wrong += [] if _adds_up(usage) else [f"usage is {usage}"]
    if wrong:
        raise violation(reply, f"a whole {kind} by {model} with usage", "; ".join(wrong))


def _adds_up(usage: Mapping[str, int]) -> bool:
    prompt, generated = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
    return prompt > 0 and generated > 0 and usage.get("total_tokens") == prompt + generated
