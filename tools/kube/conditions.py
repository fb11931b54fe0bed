"""Status conditions: which one, whether it is about the object as it is now, and how to tell it to a person. Pure.

A condition is about the generation that it names in observedGeneration. The object's own conditions, where they name
none, are about the one in `status.observedGeneration` (Deployments, KServe). Where neither is said nothing can be
stale, and the condition is taken as it is (nodes), but not in the Gateway API, whose controllers have to say it: there
it is as good as stale. Unknown is not True: its controller has not decided.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

# Its conditions MUST have observedGeneration, and its conformance tests refuse those that have none.
_MUST_SAY = "gateway.networking.k8s.io/"


@dataclass(frozen=True)
class Condition:
    """A condition as an object reports it.

    Attributes:
        type, status, reason, message: the condition's own.
        observed: generation it was computed for; None where nothing says it.
        generation: generation of the object when it was read.
        since: its last transition, RFC 3339.
        must_say: whether its kind has to say for which generation it was computed.
    """

    type: str
    status: str
    reason: str
    message: str
    observed: int | None
    generation: int
    since: str = ""
    must_say: bool = False

    @property
    def stale(self) -> bool:
        """Whether it speaks about an older generation of the object, or does not say that it does not."""
        return self.must_say if self.observed is None else self.observed < self.generation

    @property
    def holds(self) -> bool:
        """True, and about the object as it is now."""
        return self.status == "True" and not self.stale

    def __str__(self) -> str:
        observed = "" if self.observed is None else f", observedGeneration {self.observed} of {self.generation}"
        observed = (
            f", no observedGeneration of {self.generation}" if self.observed is None and self.must_say else observed
        )
        told = f"{self.reason}: {self.message}" if self.message else self.reason
        return f"{self.type}={self.status}{' STALE' if self.stale else ''} ({told or 'no reason given'}{observed})"


def conditions(found: Object, listed: Iterable[Object] | None = None) -> dict[str, Condition]:
    """Conditions by type.

    Args:
        found: the object, for its generation.
        listed: the list they are in; by default the object's `status.conditions`.
    """
    status = found.get("status", {})
    # What an object observed says nothing of lists below it, which others may write.
    at_most = status.get("observedGeneration") if listed is None else None
    rows = status.get("conditions", []) if listed is None else listed
    return {row["type"]: _condition(row, found, at_most) for row in rows}


def stale(found: Object) -> list[str]:
    """What in an object's status is about an older generation than the object's, one line each.

    Its observedGeneration, its conditions, and those of its parents (routes, pools) and listeners (Gateways).
    """
    status, generation = found.get("status", {}), found["metadata"].get("generation", 0)
    observed = status.get("observedGeneration", generation)
    lines = [f"status.observedGeneration is {observed} of {generation}"] if observed < generation else []
    listeners = [(each["name"], conditions(found, each.get("conditions", []))) for each in status.get("listeners", [])]
    places = [("", conditions(found)), *parents(found), *listeners]
    return lines + [
        f"{where}{': ' if where else ''}{each}" for where, at in places for each in at.values() if each.stale
    ]


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


def _condition(row: Object, found: Object, observed: int | None) -> Condition:
    return Condition(
        row["type"],
        row["status"],
        row.get("reason", ""),
        row.get("message", ""),
        row.get("observedGeneration", observed),
        found["metadata"].get("generation", 0),
        row.get("lastTransitionTime", ""),
        must_say=found.get("apiVersion", "").startswith(_MUST_SAY),
    )
