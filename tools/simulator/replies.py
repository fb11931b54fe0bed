"""Replies out: JSON bodies and server-sent events, field by field what vLLM 0.16 sends, in its order.

A chunk is put together from parts that are encoded once for a request; only the text of a delta is encoded for each
token. Every token is an event of its own.
"""

import json
import uuid
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import Any

from tools.simulator.engine import Generation

DONE = b"data: [DONE]\n\n"


def dumps(data: Any) -> bytes:
    """JSON as vLLM writes it: compact, not escaped beyond need."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def new_id() -> str:
    """A random request id."""
    return uuid.uuid4().hex


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, Any]:
    """The usage of a whole reply."""
    return {
        "prompt_tokens": prompt_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "completion_tokens": completion_tokens,
        "prompt_tokens_details": None,
    }


def completion(
    request_id: str, created: int, model: str, answers: Sequence[Generation], prompt_tokens: int
) -> dict[str, Any]:
    """The reply of /v1/completions."""
    choices: list[dict[str, Any]] = [
        {
            "index": index,
            "text": answer.text,
            "logprobs": None,
            "finish_reason": answer.finish_reason,
            "stop_reason": answer.stop_reason,
            "token_ids": None,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
        }
        for index, answer in enumerate(answers)
    ]
    return {
        "id": request_id,
        "object": "text_completion",
        "created": created,
        "model": model,
        "choices": choices,
        "service_tier": None,
        "system_fingerprint": None,
        "usage": usage(prompt_tokens, sum(len(answer.deltas) for answer in answers)),
        "kv_transfer_params": None,
    }


def chat_completion(
    request_id: str, created: int, model: str, answers: Sequence[Generation], prompt_tokens: int
) -> dict[str, Any]:
    """The reply of /v1/chat/completions."""
    choices: list[dict[str, Any]] = [
        {
            "index": index,
            "message": {
                "role": "assistant",
                "content": answer.text,
                "refusal": None,
                "annotations": None,
                "audio": None,
                "function_call": None,
                "tool_calls": [],
                "reasoning": None,
            },
            "logprobs": None,
            "finish_reason": answer.finish_reason,
            "stop_reason": answer.stop_reason,
            "token_ids": None,
        }
        for index, answer in enumerate(answers)
    ]
    return {
        "id": request_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": choices,
        "service_tier": None,
        "system_fingerprint": None,
        "usage": usage(prompt_tokens, sum(len(answer.deltas) for answer in answers)),
        "prompt_logprobs": None,
        "prompt_token_ids": None,
        "kv_transfer_params": None,
    }


def model_list(names: Sequence[str], root: str, created: int, max_model_len: int) -> dict[str, Any]:
    """The reply of /v1/models: one card for each served name."""
    cards = [
        {
            "id": name,
            "object": "model",
            "created": created,
            "owned_by": "vllm",
            "root": root,
            "parent": None,
            "max_model_len": max_model_len,
            "permission": [
                {
                    "id": f"modelperm-{new_id()}",
                    "object": "model_permission",
                    "created": created,
                    "allow_create_engine": False,
                    "allow_sampling": True,
                    "allow_logprobs": True,
                    "allow_search_indices": False,
                    "allow_view": True,
                    "allow_fine_tuning": False,
                    "organization": "*",
                    "group": None,
                    "is_blocking": False,
                }
            ],
        }
        for name in names
    ]
    return {"object": "list", "data": cards}


class Chunks:
    """Writes the events of one streamed reply.

    Args:
        chat: chat chunks, else plain ones.
        request_id, created, model: the same in every chunk.
        continuous_usage: usage of its choice in every chunk.
    """

    def __init__(self, *, chat: bool, request_id: str, created: int, model: str, continuous_usage: bool) -> None:
        self._chat = chat
        self._continuous_usage = continuous_usage
        kind = "chat.completion.chunk" if chat else "text_completion"
        head = {"id": request_id, "object": kind, "created": created, "model": model}
        self._head = f'data: {dumps(head).decode()[:-1]},"choices":['

    def role(self, index: int, prompt_tokens: int) -> bytes:
        """The first chunk of a chat choice: the role and an empty content, sent with the first token as in vLLM."""
        delta = '"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]'
        tail = self._usage(prompt_tokens, 0)
        return f'{self._head}{{"index":{index},{delta}{tail},"prompt_token_ids":null}}\n\n'.encode()

    def token(
        self, index: int, text: str, prompt_tokens: int, completion_tokens: int, ended: Generation | None
    ) -> bytes:
        """The chunk of one token.

        Args:
            index: of the choice.
            text: what the token adds; may be empty.
            prompt_tokens, completion_tokens: of this choice so far, for continuous usage.
            ended: the generation, with the last token only.
        """
        shown = encode_basestring(text)
        finish = "null" if ended is None else f'"{ended.finish_reason}"'
        stop = "null" if ended is None or ended.stop_reason is None else encode_basestring(ended.stop_reason)
        if self._chat:
            stop = f',"stop_reason":{stop}' if ended else ""
            choice = f'"delta":{{"content":{shown}}},"logprobs":null,"finish_reason":{finish}{stop},"token_ids":null}}]'
        else:
            choice = (
                f'"text":{shown},"logprobs":null,"finish_reason":{finish},"stop_reason":{stop},'
                '"prompt_token_ids":null,"token_ids":null}]'
            )
        tail = self._usage(prompt_tokens, completion_tokens)
        return f'{self._head}{{"index":{index},{choice}{tail}}}\n\n'.encode("utf-8", "replace")

    def usage(self, prompt_tokens: int, completion_tokens: int) -> bytes:
        """The last chunk before [DONE], without choices."""
        total = prompt_tokens + completion_tokens
        counts = f'"prompt_tokens":{prompt_tokens},"total_tokens":{total},"completion_tokens":{completion_tokens}'
        return f'{self._head}],"usage":{{{counts}}}}}\n\n'.encode()

    def _usage(self, prompt_tokens: int, completion_tokens: int) -> str:
        if not self._continuous_usage:
            return "" if self._chat else ',"usage":null'
        total = prompt_tokens + completion_tokens
        details = "" if self._chat else ',"prompt_tokens_details":null'
        return (
            f',"usage":{{"prompt_tokens":{prompt_tokens},"total_tokens":{total},'
            f'"completion_tokens":{completion_tokens}{details}}}'
        )
