"""OpenAI's own SDK as the client: what programs that are written against it get."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tools.explain import Violation, bullets, check
from tools.faults import routing, workload
from tools.faults import server as faults
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.sdk import sdk

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Completion
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

_TOKENS = 12
_MESSAGES: "list[ChatCompletionMessageParam]" = [
    {"role": "system", "content": "You answer in one word."},
    {"role": "user", "content": "Say a word."},
]


@pytest.fixture
def openai(service: LlmService, client: Client) -> "Iterator[OpenAI]":
    """The SDK, through the gateway."""
    with sdk(service.connection, client.base_url, client.user_agent) as made:
        yield made


@pytest.mark.conformance(
    name="server-serves-the-sdk",
    level="core",
    fault=[
        faults.another_model_answers.shows("model is simulator/other-model"),
        faults.errors_inside.shows("choices"),
        faults.engine_fails.shows("InternalServerError", "500"),
        routing.route_deleted.shows("NotFoundError"),
    ],
    checks=["gateway"],
)
def test_serves_the_sdk(openai: "OpenAI", client: Client) -> None:
    """OpenAI's SDK lists the model, and gets a completion and a chat of several messages, whole and with usage."""
    with _told(client, "models.list"):
        names = [each.id for each in openai.models.list()]
    check(client.model in names, f"{client.model} among the models", f"{names}", next_step=_again(client))
    with _told(client, "completions.create"):
        whole = openai.completions.create(model=client.model, prompt="The gate opens", max_tokens=_TOKENS)
    with _told(client, "chat.completions.create"):
        chat = openai.chat.completions.create(model=client.model, messages=_MESSAGES, max_tokens=_TOKENS)
    wrong = [f"completion: {line}" for line in _trouble(whole, whole.choices and whole.choices[0].text, client.model)]
    wrong += [
        f"chat: {line}" for line in _trouble(chat, chat.choices and chat.choices[0].message.content, client.model)
    ]
    check(
        not wrong,
        "objects of the SDK as its users expect them, of a completion and a chat",
        bullets(wrong),
        cause="an error inside a 200, a server behind another name, or something on the way that changes answers",
        next_step=_again(client),
    )


@pytest.mark.conformance(
    name="server-streams-to-the-sdk",
    level="core",
    fault=[
        faults.streams_end_early.shows("chat.completions.create", "incomplete"),
        faults.errors_inside.shows("APIError", "EngineCore"),
        faults.another_model_answers.shows("model is simulator/other-model"),
        workload.servers_stopped.shows("InternalServerError", "failed to find endpoint candidates"),
    ],
    checks=["gateway"],
)
def test_streams_to_the_sdk(openai: "OpenAI", client: Client) -> None:
    """OpenAI's SDK iterates over a streamed chat to its end: text, one finish reason, and usage in the last chunk."""
    with _told(client, "chat.completions.create, stream=True"):
        chunks = list(
            openai.chat.completions.create(
                model=client.model,
                messages=_MESSAGES,
                max_tokens=_TOKENS,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    choices = [each.choices[0] for each in chunks if each.choices]
    ends = [each.finish_reason for each in choices if each.finish_reason]
    usage = chunks[-1].usage if chunks else None
    models = sorted({each.model for each in chunks} - {client.model})
    wrong = [f"model is {each}" for each in models]
    wrong += [] if any(each.delta.content for each in choices) else ["no text"]
    wrong += [] if len(ends) == 1 else [f"finish reasons are {ends}"]
    wrong += [] if usage and 0 < usage.completion_tokens <= _TOKENS else [f"the last chunk's usage is {usage}"]
    check(
        not wrong,
        "a stream that the SDK reads to its end",
        bullets(wrong),
        cause="chunks were lost or changed on the way, or the server's stream is not of OpenAI's form",
        next_step=_again(client),
    )


def _trouble(answer: "Completion | ChatCompletion", text: object, model: str) -> list[str]:
    """What is wrong with an answer, as the SDK has it."""
    if not answer.choices:
        return [f"no choices, but {answer.model_dump(exclude_none=True)}"]
    ended, usage = answer.choices[0].finish_reason, answer.usage
    wrong = [] if answer.model == model else [f"model is {answer.model}"]
    wrong += [] if text else ["no text"]
    wrong += [] if ended in ("stop", "length") else [f"it ends by {ended!r}"]
    return [*wrong, *([] if usage and 0 < usage.completion_tokens <= _TOKENS else [f"usage is {usage}"])]


class _told:
    """What the SDK raises becomes a violation: it is what a program that uses it would see."""

    def __init__(self, client: Client, call: str) -> None:
        self._client, self._call = client, call

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Tell it."""
        from httpx import HTTPError
        from openai import OpenAIError

        if isinstance(error, OpenAIError | HTTPError):
            raise Violation(
                f"the SDK's {self._call} to give an answer",
                f"{type(error).__name__}: {error}",
                cause="see the case server-completes or server-streams, which tell where on the way it breaks",
                next_step=_again(self._client),
            ) from None


def _again(client: Client) -> str:
    return f"OPENAI_API_KEY=${{TOKEN:-none}} OPENAI_BASE_URL={client.base_url}/v1 python -m openai api models.list"
