"""What stands in for the real thing on the local cluster, read from manifests/stack/standins.yaml."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.paths import CHECKOUT
from tools.records import Problem
from tools.yamlfile import read_yaml

STANDINS = CHECKOUT / "manifests" / "stack" / "standins.yaml"

_TEXT = {"type": "string", "minLength": 3}
_TEXTS = {"type": "array", "minItems": 1, "uniqueItems": True, "items": _TEXT}
_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "what", "in_place_of", "cannot_show", "put_in"],
        "properties": {
            "id": {"type": "string", "pattern": "^[a-z][a-z0-9-]+$"},
            "what": _TEXT,
            "in_place_of": _TEXT,
            "cannot_show": _TEXTS,
            "put_in": _TEXTS,
        },
    },
}


@dataclass(frozen=True)
class StandIn:
    """A substitution.

    Attributes:
        id: the name that code, manifests and reports use for it.
        what: what is there.
        in_place_of: what a real cluster has.
        cannot_show: what a run with it says nothing about.
        put_in: files or directories of the checkout that put it in.
    """

    id: str
    what: str
    in_place_of: str
    cannot_show: tuple[str, ...]
    put_in: tuple[str, ...]


def load_standins(path: Path = STANDINS) -> dict[str, StandIn]:
    """All stand-ins by id, in the file's order.

    Args:
        path: the list.

    Raises:
        UserError: the file is not such a list, or an id is there twice.
    """
    file = read_yaml(path, "a list of stand-ins")
    file.check(_SCHEMA, _twice(file.value))
    return {entry["id"]: _standin(entry) for entry in file.value}


def _standin(entry: dict[str, Any]) -> StandIn:
    lists = {key: tuple(entry[key]) for key in ("cannot_show", "put_in")}
    return StandIn(entry["id"], entry["what"], entry["in_place_of"], **lists)


def _twice(entries: Any) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = str(entry.get("id")) if isinstance(entry, dict) else ""
        if name in seen:
            yield Problem((index, "id"), f"{name} is there twice")
        seen.add(name)
