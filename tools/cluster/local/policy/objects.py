"""The objects that the agent follows, as the API server last told them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.kube.kinds import NAMESPACE, NETWORK_POLICY, POD, Kind

Object = Mapping[str, Any]

FOLLOWED = (NETWORK_POLICY, POD, NAMESPACE)


@dataclass(frozen=True)
class Listed:
    """All objects of a kind: the beginning of a watch, also of one that begins anew."""

    kind: Kind
    items: tuple[Object, ...]


@dataclass(frozen=True)
class Changed:
    """One event of a watch: ADDED, MODIFIED or DELETED."""

    kind: Kind
    event: str
    item: Object


class Objects:
    """What is known, kind by kind."""

    def __init__(self) -> None:
        self._known: dict[Kind, dict[tuple[str, str], Object]] = {}

    @property
    def complete(self) -> bool:
        """Whether every kind has been listed, so that what is not here is not there."""
        return all(kind in self._known for kind in FOLLOWED)

    def take(self, told: Listed | Changed) -> None:
        """Note what the API server told."""
        if isinstance(told, Listed):
            self._known[told.kind] = {_key(item): item for item in told.items}
            return
        known = self._known[told.kind]
        known.pop(_key(told.item), None)
        if told.event != "DELETED":
            known[_key(told.item)] = told.item

    def of(self, kind: Kind) -> Iterable[Object]:
        """Objects of a kind."""
        return self._known[kind].values()


def _key(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
