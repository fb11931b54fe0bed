"""What stands in for the real thing on the local cluster, read from manifests/stack/standins.yaml."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.records import refuse_invalid

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
    entries = yaml.safe_load(path.read_text())
    refuse_invalid(entries, _SCHEMA, str(path))
    found: dict[str, StandIn] = {}
    for entry in entries:
        if entry["id"] in found:
            raise UserError("every stand-in once", f"{entry['id']} twice in {path}")
        lists = {key: tuple(entry[key]) for key in ("cannot_show", "put_in")}
        found[entry["id"]] = StandIn(entry["id"], entry["what"], entry["in_place_of"], **lists)
    return found
