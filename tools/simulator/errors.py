"""Refusals, in the words and shapes of vLLM's OpenAI server and of FastAPI below it.

The texts are vLLM 0.16's, but for the one about context length: 0.16 alone says "the model's context length is only",
releases before and after it say "maximum context length", which is what clients and this project look for.
"""

from typing import Any


class ApiError(Exception):
    """A request that is answered with an error body.

    Args:
        status: HTTP status code.
        message: the `message` of the error body.
        kind: its `type`: `BadRequestError`, `NotFoundError`, or `Bad Request` for a body that does not validate.
        param: its `param`.
    """

    def __init__(self, status: int, message: str, *, kind: str = "BadRequestError", param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param

    def body(self) -> dict[str, Any]:
        """The JSON body of the reply."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.status}}


def invalid_request(problem: Any, *, param: str | None = None) -> ApiError:
    """A body that does not validate; `problem` is the record that FastAPI would list."""
    text = f"1 validation error:\n  {problem} {[problem]}"
    return ApiError(400, text, kind="Bad Request", param=param)


def invalid_field(name: str, kind: str, message: str, value: Any) -> ApiError:
    """A field of the body with a wrong type or value (`kind` and `message` in pydantic's words)."""
    return invalid_request({"type": kind, "loc": ("body", name), "msg": message, "input": _short(value)})


def invalid_body(message: str, data: Any, *, param: str | None = None) -> ApiError:
    """A body whose fields do not go together."""
    problem = {"type": "value_error", "loc": ("body",), "msg": f"Value error, {message}", "input": _short(data)}
    return invalid_request(problem, param=param)


def bad_value(message: str, param: str | None = None, value: Any = None) -> ApiError:
    """A value that the engine refuses; vLLM adds parameter and value to the message when the parameter is known."""
    extra = f" (parameter={param}, value={value})" if param else ""
    return ApiError(400, message + extra, param=param)


def unknown_model(name: str | None) -> ApiError:
    """A model that is not served here."""
    return ApiError(404, f"The model `{name}` does not exist.", kind="NotFoundError", param="model")


def engine_dead() -> ApiError:
    """The engine has died or fails; vLLM's words for it."""
    text = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    return ApiError(500, text, kind="InternalServerError")


def starting() -> ApiError:
    """The server listens and cannot answer yet."""
    return ApiError(503, "The model is not loaded yet.", kind="ServiceUnavailableError")


def unsupported(what: str) -> ApiError:
    """Something that vLLM can do and this stand-in cannot."""
    return ApiError(400, f"{what} is not supported by this simulator.", param=what)


def prompt_too_long(context: int, output: int, given: int, *, most_characters: int | None = None) -> ApiError:
    """A prompt beyond the context length.

    Args:
        context: context length in tokens.
        output: requested output tokens.
        given: length of the prompt in tokens, or in characters when `most_characters` is given.
        most_characters: characters that the allowed input tokens can have at most.
    """
    text = f"This model's maximum context length is {context} tokens. However, you requested {output} output tokens "
    if most_characters is None:
        text += f"and your prompt contains at least {given} input tokens, for a total of at least "
        text += f"{given + output} tokens. "
    else:
        text += (
            f"and your prompt contains {given} characters (more than {most_characters} characters, which is the upper "
        )
        text += f"bound for {context - output} input tokens). "
    text += "Please reduce the length of the input prompt or the number of requested output tokens."
    return bad_value(text, "input_tokens" if most_characters is None else "input_text", given)


def _short(value: Any) -> Any:
    """FastAPI repeats the whole input; several MiB of it would help nobody."""
    return value if len(repr(value)) <= 200 else f"{repr(value)[:200]}…"
