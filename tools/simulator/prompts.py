"""The prompts of a request: their forms, their tokens, and whether they fit into the context."""

from dataclasses import dataclass
from typing import Any

from tools.simulator.errors import ApiError, bad_value, invalid_field, invalid_request, prompt_too_long
from tools.simulator.fields import Body
from tools.simulator.tokens import MAX_CHARS_PER_TOKEN, text_of_ids, tokenize, tokenize_chat

Messages = list[tuple[str, str]]
RawPrompt = str | list[int]


@dataclass(frozen=True)
class Prompt:
    """One prompt: its tokens, and its text as `echo` repeats it (empty for a chat)."""

    tokens: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class Room:
    """The context length and what of it the output takes, in tokens."""

    context: int
    output: int

    def check_characters(self, count: int) -> None:
        """Refuse by characters alone what cannot fit, so that several MiB are never tokenized (as vLLM does)."""
        most = (self.context - self.output) * MAX_CHARS_PER_TOKEN
        if count > most:
            raise prompt_too_long(self.context, self.output, count, most_characters=most)

    def check_tokens(self, count: int) -> None:
        """Refuse a prompt that does not fit beside the requested output."""
        if count > self.context - self.output:
            raise prompt_too_long(self.context, self.output, count)


def room_for(requested: int | None, context: int, parameter: str) -> Room:
    """The room that a request asks for.

    Raises:
        ApiError: more output tokens than the context has.
    """
    output = max(requested or 0, 0)
    if output > context:
        # The missing space and the doubled name are vLLM's.
        text = f"{parameter}={output}cannot be greater than max_model_len=max_total_tokens={context}. "
        raise bad_value(text + "Please request fewer output tokens.", parameter, output)
    return Room(context, output)


def read_messages(data: Body) -> Messages:
    """The (role, content) pairs of a chat; parts of a content are joined by line ends, as vLLM joins text parts.

    Raises:
        ApiError: no messages, or not of the form that the API gives them.
    """
    if "messages" not in data:
        raise invalid_request({"type": "missing", "loc": ("body", "messages"), "msg": "Field required", "input": {}})
    messages = data["messages"]
    if not isinstance(messages, list):
        raise invalid_field("messages", "list_type", "Input should be a valid list", messages)
    if not messages:
        raise ApiError(400, "messages is empty")  # vLLM's words depend on the model's chat template
    return [_message(item) for item in messages]


def _message(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict) or not isinstance(item.get("role"), str):
        raise invalid_field("messages", "missing", "Field required", item)
    content = item.get("content")
    if content is None or isinstance(content, str):
        return item["role"], content or ""
    if not isinstance(content, list):
        raise invalid_field("messages", "string_type", "Input should be a valid string", content)
    return item["role"], "\n".join(_part(part) for part in content)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    kind = part.get("type") if isinstance(part, dict) else part
    raise ApiError(400, f"Content of type {kind!r} is not supported by this simulator: it serves a text model.")


def read_prompts(data: Body) -> list[RawPrompt]:
    """The prompts of a plain completion: a text, texts, token ids, or lists of token ids."""
    prompt = data.get("prompt")
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt, list) and prompt:
        if all(_is_id(item) for item in prompt):
            return [prompt]
        if all(isinstance(item, str) for item in prompt):
            return list(prompt)
        if all(isinstance(item, list) and item and all(_is_id(number) for number in item) for item in prompt):
            return list(prompt)
    raise invalid_field("prompt", "string_type", "Input should be a valid string", prompt)


def _is_id(item: Any) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and item >= 0


def chat_prompt(messages: Messages, room: Room) -> Prompt:
    """Tokenize a chat that fits."""
    room.check_characters(sum(len(content) for _, content in messages))
    tokens = tokenize_chat(messages)
    room.check_tokens(len(tokens))
    return Prompt(tuple(tokens))


def plain_prompt(raw: RawPrompt, room: Room) -> Prompt:
    """Tokenize a prompt that fits."""
    if isinstance(raw, str):
        room.check_characters(len(raw))
        tokens = tokenize(raw)
    else:
        room.check_tokens(len(raw))
        tokens = text_of_ids(raw)
    room.check_tokens(len(tokens))
    return Prompt(tuple(tokens), "".join(tokens))
