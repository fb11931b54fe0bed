"""Status conditions: which one, whether it is about the object as it is now, and how to tell it to a person. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """A condition as an object reports it.

    Attributes:
        type, status, reason, message: the condition's own.
        observed: generation it was computed for; None where the kind does not say (KServe).
        generation: generation of the object when it was read.
        since: its last transition, RFC 3339.
    """

    type: str
    status: str
    reason: str
    message: str
    observed: int | None
    generation: int
    since: str = ""

    @property
    def stale(self) -> bool:
        """Whether it speaks about an older generation of the object."""
        return self.observed is not None and self.observed < self.generation

    @property
    def holds(self) -> bool:
        """True, and about the object as it is now."""
        return self.status == "True" and not self.stale

    def __str__(self) -> str:
        observed = "" if self.observed is None else f", observedGeneration {self.observed} of {self.generation}"
        told = f"{self.reason}: {self.message}" if self.message else self.reason
        return f"{self.type}={self.status}{' STALE' if self.stale else ''} ({told or 'no reason given'}{observed})"


def conditions(found: Object, listed: Iterable[Object] | None = None) -> dict[str, Condition]:
    """Conditions by type.

    Args:
        found: the object, for its generation.
        listed: the list they are in; by default the object's `status.conditions`.
    """
    rows = found.get("status", {}).get("conditions", []) if listed is None else listed
    generation = found["metadata"].get("generation", 0)
    return {row["type"]: _condition(row, generation) for row in rows}


def lacking(found: dict[str, Condition], wanted: Iterable[str], what: str = "") -> list[str]:
    """What keeps the wanted conditions from holding, one line each."""
    where = f"{what}: " if what else ""
    return [
        f"{where}{found[name]}" if name in found else f"{where}{name} is absent"
        for name in wanted
        if name not in found or not found[name].holds
    ]


def parents(found: Object) -> Iterator[tuple[str, dict[str, Condition]]]:
    """Conditions of a route or pool by parent, named `namespace/name`.

    By name and namespace only: Istio writes the group of a pool's parent as `networking.istio.io`.
    """
    own = found["metadata"].get("namespace", "")
    for parent in found.get("status", {}).get("parents", []):
        reference = parent["parentRef"]
        name = f"{reference.get('namespace', own)}/{reference['name']}"
        yield name, conditions(found, parent.get("conditions", []))


def lacking_at_parent(found: Object, parent: str, wanted: Iterable[str]) -> list[str]:
    """What keeps a parent (`namespace/name`) from having accepted a route or pool; all its entries count."""
    entries = [at for name, at in parents(found) if name == parent]
    if not entries:
        known = ", ".join(name for name, _ in parents(found)) or "none"
        return [f"no entry for Gateway {parent} in status.parents (there: {known})"]
    return [line for at in entries for line in lacking(at, wanted)]


def _condition(row: Object, generation: int) -> Condition:
    return Condition(
        row["type"],
        row["status"],
        row.get("reason", ""),
        row.get("message", ""),
        row.get("observedGeneration"),
        generation,
        row.get("lastTransitionTime", ""),
    )
