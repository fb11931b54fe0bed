"""What headers of an answer tell about the inside of a cluster. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def leaks(headers: Mapping[str, str], pods: Iterable[dict[str, Any]]) -> list[str]:
    """Headers that have an address or a name of a pod, one line each.

    Args:
        headers: of an answer.
        pods: that clients are not to know of.
    """
    secret = {}
    for pod in pods:
        name = pod["metadata"]["name"]
        secret[name] = f"the name of pod {name}"
        secret |= {
            each["ip"]: f"the address of a pod ({name})" for each in pod.get("status", {}).get("podIPs", []) if each
        }
    return [
        f"{header}: {value!r} has {what}"
        for header, value in headers.items()
        for text, what in secret.items()
        if text in value
    ]
