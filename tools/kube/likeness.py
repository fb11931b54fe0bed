"""Objects of two services compared: without what differs because they are two, each difference by its path. Pure."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from tools.kube.client import Object

_MISSING = object()
_LONGEST = 160
# What the API server and controllers of Kubernetes write, and what says when something was done and not what it is.
_METADATA = ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")
_NOISE = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/restartedAt",
    # Of the time at which the certificate was made.
    "certificates.kserve.io/expiration",
    "serving.kserve.io/certificate-expiration",
)
_ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort")


def normalised(found: Object, namespace: str, *, without: Iterable[str] = ()) -> Object:
    """What of an object is the same for every service that is specified the same.

    Args:
        found: the object.
        namespace: of its service; wherever it is written, a placeholder is put instead.
        without: paths of mappings to leave out, for example `spec.replicas`.
    """
    made = copy.deepcopy(found)
    made.pop("status", None)
    made["metadata"] = {key: value for key, value in made["metadata"].items() if key in _METADATA}
    for owner in made["metadata"].get("ownerReferences", []):
        owner.pop("uid", None)
    for meta in (made["metadata"], _at(made, ["spec", "template", "metadata"])):
        if isinstance(meta, dict):
            kept = {key: value for key, value in (meta.get("annotations") or {}).items() if key not in _NOISE}
            meta.pop("annotations", None)
            meta |= {"annotations": kept} if kept else {}
            meta.pop("creationTimestamp", None)
    if made["kind"] == "Secret":
        # Names of keys only: values are nobody's business, and differ.
        made["data"] = sorted(made.get("data") or {})
    if made["kind"] == "Service":
        made["spec"] = {key: value for key, value in made["spec"].items() if key not in _ADDRESSES}
    for path in without:
        *above, last = path.split(".")
        place = _at(made, above)
        if isinstance(place, dict):
            place.pop(last, None)
    return dict(_renamed(made, namespace))


def differences(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Every difference of two values, one line each, with its path.

    Items of lists are compared by their `name` where they have one.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found}):
            yield from differences(wanted.get(key, _MISSING), found.get(key, _MISSING), f"{path}.{key}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list):
        if (one := _by_name(wanted)) is not None and (other := _by_name(found)) is not None:
            for key in [*one, *(each for each in other if each not in one)]:
                yield from differences(one.get(key, _MISSING), other.get(key, _MISSING), f"{path}[{key}]")
            return
        for index in range(max(len(wanted), len(found))):
            yield from differences(_item(wanted, index), _item(found, index), f"{path}[{index}]")
    elif wanted != found:
        yield f"{path or 'it'} is {_told(found, wanted)}, and not {_told(wanted, found)}"


def lacks(stated: Any, found: Any, path: str = "") -> Iterator[str]:
    """What is stated and not found, one line each: mappings and lists may have more, items of lists in any place."""
    if isinstance(stated, dict) and isinstance(found, dict):
        for key, value in stated.items():
            yield from lacks(value, found.get(key, _MISSING), f"{path}.{key}".lstrip("."))
    elif isinstance(stated, list) and isinstance(found, list):
        one, other = _by_name(stated), _by_name(found)
        if one is not None and other is not None:
            for key, value in one.items():
                yield from lacks(value, other.get(key, _MISSING), f"{path}[{key}]")
        elif missing := [each for each in stated if not any(not [*lacks(each, at)] for at in found)]:
            yield f"{path} is {_told(found, stated)}, without {', '.join(map(str, missing))}"
    elif stated != found and not _same_quantity(stated, found):
        yield f"{path or 'it'} is {_told(found, stated)}, and not {_told(stated, found)}"


def hands(found: Object, own: Iterable[str]) -> list[str]:
    """Who besides the controllers themselves has written an object, and when, one line each."""
    return [
        f"{each['manager']} at {each.get('time', '?')}"
        for each in found["metadata"].get("managedFields", [])
        if each["manager"] not in set(own) and not each.get("subresource")
    ]


def _same_quantity(stated: Any, found: Any) -> bool:
    """Whether two texts are the same amount, as 1000m and 1."""
    if not isinstance(stated, str | int) or not isinstance(found, str | int):
        return False
    try:
        return bool(parse_quantity(str(stated)) == parse_quantity(str(found)))
    except ValueError:
        return False


def _item(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING


def _by_name(values: list[Any]) -> dict[str, Any] | None:
    named = {str(each["name"]): each for each in values if isinstance(each, dict) and each.get("name")}
    return named if len(named) == len(values) else None


def _told(value: Any, other: Any) -> str:
    if value is _MISSING:
        return "absent"
    text = str(value)
    if len(text) <= _LONGEST or not isinstance(value, str) or not isinstance(other, str):
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    # Of a long text the first line that differs.
    lines, others = text.splitlines(), other.splitlines()
    place = next((at for at, line in enumerate(lines) if at >= len(others) or others[at] != line), len(lines))
    return f"…{lines[place].strip()[:_LONGEST]}… (line {place + 1})" if place < len(lines) else "the same, but shorter"


def _at(value: Any, path: list[str]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _renamed(value: Any, namespace: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(inner, namespace) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, namespace) for inner in value]
    return value.replace(namespace, "NAMESPACE") if isinstance(value, str) else value
