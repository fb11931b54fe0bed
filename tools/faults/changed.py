"""One object changed in a few places while a fault is in effect, and exactly as before afterwards."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tools.kube.client import Kube, Object
from tools.kube.kinds import DEPLOYMENT, Kind
from tools.kube.llm_service import Place

# In place of a value: the field is to be absent.
ABSENT = object()


@contextmanager
def changed(
    kube: Kube, kind: Kind, place: Place, changes: Mapping[str, Any], *, subresource: str = ""
) -> Iterator[Object]:
    """An object with other values, by JSON pointer; gives it as it was before.

    Args:
        kube: the cluster.
        kind: of the object.
        place: of the object.
        changes: pointer to value; its parent must be there. ABSENT takes a field out.
        subresource: through which it is written, for example `status`.
    """
    before = kube.get(kind, place.name, place.namespace)
    old = {pointer: at(before, pointer) for pointer in changes}
    try:
        _write(kube, kind, place, changes, subresource)
        yield before
    finally:
        _write(kube, kind, place, old, subresource)


@contextmanager
def paused(kube: Kube, place: Place) -> Iterator[None]:
    """A Deployment whose pods stay as they are, whatever its template says: what shares them goes on working."""
    with changed(kube, DEPLOYMENT, place, {"/spec/paused": True}):
        yield


def at(found: Object, pointer: str) -> Any:
    """The value at a JSON pointer, or ABSENT."""
    value: Any = found
    for word in pointer.split("/")[1:]:
        key = word.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else ABSENT
        else:
            value = value.get(key, ABSENT)
        if value is ABSENT:
            return ABSENT
    return copy.deepcopy(value)


def _write(kube: Kube, kind: Kind, place: Place, values: Mapping[str, Any], subresource: str) -> None:
    found = kube.get(kind, place.name, place.namespace)
    steps = [step for pointer, value in values.items() if (step := _step(pointer, at(found, pointer), value))]
    if steps:
        kube.patch(kind, place.name, place.namespace, steps, how="json", subresource=subresource)


def _step(pointer: str, now: Any, value: Any) -> Object | None:
    if value is ABSENT:
        return None if now is ABSENT else {"op": "remove", "path": pointer}
    return {"op": "add" if now is ABSENT else "replace", "path": pointer, "value": value}
