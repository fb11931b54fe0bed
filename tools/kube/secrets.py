"""Whether Secrets that a service needs are there, with the keys that it needs; their values are never kept."""

from collections.abc import Iterable

from tools.kube.client import Kube
from tools.kube.kinds import SECRET


def lacking(kube: Kube, namespace: str, wanted: Iterable[tuple[str, Iterable[str]]]) -> list[str]:
    """What is missing, one line each.

    Args:
        kube: the cluster.
        namespace: where the Secrets are to be.
        wanted: name and keys of each.
    """
    lines = []
    for name, keys in wanted:
        found = kube.find(SECRET, name, namespace)
        # The API gives names of keys only together with values; no more than the names leaves this line.
        there = frozenset((found or {}).get("data") or {})
        del found
        missing = sorted(set(keys) - there)
        if not there:
            lines.append(f"Secret {name} is not in namespace {namespace}, or is empty")
        elif missing:
            lines.append(f"Secret {name} in namespace {namespace} has no key {', '.join(missing)}")
    return lines
