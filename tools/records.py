"""YAML that a user writes, held against a JSON schema, and refused in the user's terms."""

import difflib
from typing import Any

import jsonschema

from tools.errors import UserError


def refuse_invalid(value: Any, schema: dict[str, Any], source: str, next_step: str = "") -> None:
    """Raise for a value that its schema does not allow.

    Args:
        value: as PyYAML read it.
        schema: JSON schema, draft 2020-12.
        source: the file, for the message.
        next_step: what to do; by default nothing is said.

    Raises:
        UserError: naming every violation by its path, unknown keys with the nearest known one.
    """
    errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
    lines = [line for error in sorted(errors, key=lambda error: error.json_path) for line in _lines(error)]
    if lines:
        observed = f"in {source}:\n" + "\n".join(f"    - {line}" for line in lines)
        raise UserError("values as the schema has them", observed, next_step=next_step)


def _lines(error: jsonschema.ValidationError) -> list[str]:
    schema = error.schema if isinstance(error.schema, dict) else {}
    where = error.json_path.removeprefix("$").removeprefix(".") or "(the whole)"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict) and schema:
        known = list(schema["properties"])
        return [_unknown(where, key, known) for key in error.instance if key not in known]
    return [f"{where}: {error.message}"]


def _unknown(where: str, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{where}: no such key {key!r}; {hint}"
