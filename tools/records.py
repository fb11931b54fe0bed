"""Plain data that a user wrote, held against a JSON schema: what is wrong with it, in the user's terms. Pure."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema

KeyPath = tuple[str | int, ...]

_CHECKER = jsonschema.FormatChecker()
_TYPES = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


@dataclass(frozen=True)
class Problem:
    """Something wrong at a place of a document.

    Attributes:
        path: keys and indices that lead there.
        text: what is wrong, and what is right.
    """

    path: KeyPath
    text: str

    def __str__(self) -> str:
        return f"{said(self.path)}: {self.text}" if self.path else self.text


def said(path: KeyPath) -> str:
    """A path as a person writes it: `accelerator.kind`, `[2].issue`; empty for the whole document."""
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).removeprefix(".")


def problems(value: Any, schema: Mapping[str, Any]) -> list[Problem]:
    """All violations of a schema, not just the first.

    Args:
        value: as JSON has it: mappings with text as keys, lists, text, numbers, booleans, None.
        schema: JSON schema, draft 2020-12.
    """
    validator = jsonschema.Draft202012Validator(schema, format_checker=_CHECKER)
    return [problem for error in validator.iter_errors(value) for problem in _problems(error)]


def filled(value: Any, schema: Mapping[str, Any]) -> Any:
    """A copy of a valid value in which everything that is unsaid has the schema's `default`."""
    if not isinstance(value, dict):
        return value
    known: Mapping[str, Any] = schema.get("properties", {})
    unsaid = {key: each["default"] for key, each in known.items() if "default" in each and key not in value}
    return {key: filled(each, known.get(key, {})) for key, each in {**value, **unsaid}.items()}


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` for a name that is close to a known one; empty for one that is not."""
    near = difflib.get_close_matches(name, [*known], n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _problems(error: jsonschema.ValidationError) -> Iterator[Problem]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    path, found = tuple(error.absolute_path), error.instance
    wanted: Any = error.validator_value
    match error.validator:
        case "additionalProperties" if isinstance(found, dict):
            known = list(schema.get("properties", {}))
            for key in found:
                if key not in known:
                    hint = nearest(key, known) or "."
                    yield Problem((*path, key), f"no such key{hint} Allowed are {', '.join(known)}")
        case "required" if isinstance(found, dict):
            # jsonschema reports each missing key by itself, and names it only in its message.
            yield Problem(path, error.message.replace("is a required property", "is missing"))
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            yield Problem(path, f"{' or '.join(_TYPES[each] for each in kinds)} is wanted, not {_kind(found)}")
        case "enum":
            allowed = ", ".join(_shown(each) for each in wanted)
            hint = nearest(str(found), map(str, wanted))
            yield Problem(path, f"{_shown(found)} is none of {allowed}{hint}")
        case "pattern":
            examples = schema.get("examples", [])
            form = f"for example {_shown(examples[0])}" if examples else f"pattern {wanted}"
            yield Problem(path, f"{_shown(found)} is not of the form that is wanted: {form}")
        case "format":
            yield Problem(path, f"{_shown(found)} is not a {wanted}, for example {_shown(schema['examples'][0])}")
        case _:
            yield Problem(path, error.message)


def _kind(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case str():
            return f"the text {_shown(value)}"
        case bool():
            return f"{_shown(value)} (for text, write it in quotes)"
        case _:
            return f"the number {_shown(value)} (for text, write it in quotes)"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() and value.strip() else json.dumps(value, default=str)
