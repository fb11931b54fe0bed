"""Which mutual TLS a pod's sidecar demands, and which PeerAuthentication says so. Pure.

As Istio composes them (PeerAuthentication's reference, and `ComposePeerAuthentication` of 1.31): the mesh's own policy,
then the namespace's, then the workload's, then its port's; the oldest of a level counts and others are ignored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]

DEFAULT = "PERMISSIVE"
_UNSET = ("", "UNSET")


@dataclass(frozen=True)
class Demand:
    """What is demanded of connections to a port of a pod.

    Attributes:
        mode: `STRICT`, `PERMISSIVE` or `DISABLE`.
        source: what says so, in words.
    """

    mode: str
    source: str

    def __str__(self) -> str:
        return f"{self.mode}, by {self.source}"


def demand(policies: Iterable[Object], pod: Object, port: int, root: str) -> Demand:
    """What is demanded of connections to a pod's port.

    Args:
        policies: PeerAuthentications of the pod's namespace and of the root namespace; others do not count.
        pod: whose.
        port: of the container, as portLevelMtls means it.
        root: Istio's root namespace.
    """
    found, namespace = list(policies), pod["metadata"]["namespace"]
    said = Demand(DEFAULT, "Istio's default: no PeerAuthentication says anything")
    for what, level in (("mesh", _wide(found, root)), ("namespace", _wide(found, namespace))):
        if level and (mode := _mode(level.get("spec", {}).get("mtls"))):
            said = Demand(mode, f"PeerAuthentication {_place(level)} of the {what}")
    own = _oldest(each for each in found if _selects(each, pod, root))
    if own is None:
        return said
    spec = own.get("spec", {})
    if mode := _mode(spec.get("mtls")):
        said = Demand(mode, f"PeerAuthentication {_place(own)} of the workload")
    # Keys of a map in JSON are text.
    of_port = {str(key): value for key, value in (spec.get("portLevelMtls") or {}).items()}.get(str(port))
    if mode := _mode(of_port):
        said = Demand(mode, f"PeerAuthentication {_place(own)} for port {port}")
    return said


def ignored(policies: Iterable[Object], pod: Object, root: str) -> list[str]:
    """Policies that look as if they counted for a pod and do not, one line each.

    Args:
        policies: PeerAuthentications of the pod's namespace and of the root namespace.
        pod: whose.
        root: Istio's root namespace.
    """
    found, namespace = list(policies), pod["metadata"]["namespace"]
    lines = []
    levels = {
        "the mesh": [each for each in found if _place(each).startswith(f"{root}/") and not _labels(each)],
        f"namespace {namespace}": [
            each for each in found if _place(each).startswith(f"{namespace}/") and not _labels(each)
        ],
        f"pod {pod['metadata']['name']}": [each for each in found if _selects(each, pod, root)],
    }
    for what, level in levels.items():
        first = _oldest(level)
        # Of one namespace that is the root, too, the level is the mesh's.
        lines += [
            f"PeerAuthentication {_place(each)} has no effect: {_place(first)} is older, and one counts for {what}"
            for each in level
            if first is not None and each is not first
        ]
    lines += [
        f"PeerAuthentication {_place(each)} has no effect: ports without a selector are ignored"
        for each in found
        if each.get("spec", {}).get("portLevelMtls") and not _labels(each)
    ]
    return list(dict.fromkeys(lines))


def _wide(policies: Iterable[Object], namespace: str) -> Object | None:
    return _oldest(each for each in policies if each["metadata"]["namespace"] == namespace and not _labels(each))


def _oldest(policies: Iterable[Object]) -> Object | None:
    # Times in ISO 8601 sort as text; of one second Istio takes the first by name.
    return min(
        policies,
        key=lambda each: (each["metadata"].get("creationTimestamp", ""), each["metadata"]["name"]),
        default=None,
    )


def _selects(policy: Object, pod: Object, root: str) -> bool:
    namespace, labels = policy["metadata"]["namespace"], _labels(policy)
    # One with a selector in the root namespace is for no other namespace's pods.
    if not labels or namespace != pod["metadata"]["namespace"] or namespace == root:
        return False
    there: Mapping[str, str] = pod["metadata"].get("labels", {})
    return all(there.get(key) == value for key, value in labels.items())


def _labels(policy: Object) -> Mapping[str, str]:
    found: Mapping[str, str] = policy.get("spec", {}).get("selector", {}).get("matchLabels") or {}
    return found


def _mode(mtls: Object | None) -> str:
    said = str((mtls or {}).get("mode", ""))
    return "" if said in _UNSET else said


def _place(policy: Object) -> str:
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"
