"""Typed reading of fields from a decoded JSON body, as leniently as vLLM's pydantic models, with their refusals."""

import contextlib
from collections.abc import Mapping
from typing import Any

from tools.simulator.errors import invalid_field

Body = Mapping[str, Any]

_FLAGS: dict[Any, bool] = {
    **dict.fromkeys((1, "1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys((0, "0", "false", "f", "no", "n", "off"), False),
}


def whole(data: Body, name: str, default: int | None = None) -> int | None:
    """An integer field, or the default if it is absent or null. `3.0` and `"3"` count as 3."""
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return int(value)
    raise invalid_field(name, "int_type", "Input should be a valid integer", value)


def number(data: Body, name: str) -> float | None:
    """A numeric field, or None. `"0.5"` counts as 0.5."""
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, int | float | str):
        with contextlib.suppress(ValueError, OverflowError):
            return float(value)
    raise invalid_field(name, "float_type", "Input should be a valid number", value)


def flag(data: Body, name: str, default: bool = False) -> bool:
    """A boolean field, or the default if it is absent or null. 1, `"yes"`, `"on"` and the like count."""
    value = data.get(name)
    if value is None:
        return default
    key = value.lower() if isinstance(value, str) else value
    if isinstance(key, str | int | float) and key in _FLAGS:
        return _FLAGS[key]
    raise invalid_field(name, "bool_type", "Input should be a valid boolean", value)


def text(data: Body, name: str) -> str | None:
    """A string field, or None."""
    value = data.get(name)
    if value is None or isinstance(value, str):
        return value
    raise invalid_field(name, "string_type", "Input should be a valid string", value)


def texts(data: Body, name: str) -> tuple[str, ...]:
    """A string or list of strings, as a tuple; empty if absent or null."""
    value = data.get(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise invalid_field(name, "string_type", "Input should be a valid string", value)


def mapping(data: Body, name: str) -> Body | None:
    """An object field, or None."""
    value = data.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise invalid_field(name, "model_attributes_type", "Input should be a valid dictionary", value)
