"""Values of Secrets where everybody who may read pods or logs sees them. Values are compared, and never told. Pure."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.redact import SHORTEST
from tools.secret import Secret, forms

Object = dict[str, Any]


def values(secrets: Iterable[Object]) -> dict[str, Secret]:
    """Values of Secrets by where they are (`SECRET/KEY`); those that are as short as ordinary words are left out."""
    found = {
        f"{each['metadata']['name']}/{key}": base64.b64decode(value).decode(errors="replace").strip()
        for each in secrets
        # Certificates are public, and accounts' tokens are told by no Secret any more.
        if each.get("type") != "kubernetes.io/tls"
        for key, value in (each.get("data") or {}).items()
    }
    return {where: Secret(value) for where, value in found.items() if len(value) >= SHORTEST}


def in_pod(pod: Object, known: Mapping[str, Secret]) -> list[str]:
    """Where a pod's specification has them in clear, one line each."""
    return [f"{where} is in clear in {place}" for place, text in _texts(pod) for where in in_text(text, known)]


def in_text(text: str, known: Mapping[str, Secret]) -> list[str]:
    """Which of them a text has, be it encoded or as it is."""
    return [where for where, value in known.items() if any(form in text for form in forms(value))]


def _texts(pod: Object) -> Iterator[tuple[str, str]]:
    for key, value in (pod["metadata"].get("annotations") or {}).items():
        yield f"annotation {key}", value
    for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        for variable in each.get("env", []):
            yield f"env {variable['name']} of {each['name']}", str(variable.get("value", ""))
        yield (
            f"the command line of {each['name']}",
            " ".join(map(str, [*each.get("command", []), *each.get("args", [])])),
        )
