"""Where a Prometheus outside the mesh finds a pod's metrics, and what Istio's agent was told to merge there. Pure.

Istio, "Prometheus", "Option 1: Metrics merging": the injector changes a pod's `prometheus.io` annotations, so that they
lead to its agent's port, which is not captured; the agent reads what they said before, inside the pod. Not so with
`prometheus.istio.io/merge-metrics: "false"`, or in a pod that has no annotations: then Prometheus asks the server
itself, which under STRICT is refused to everybody without a certificate of the mesh.
"""

import json
from dataclasses import dataclass
from typing import Any

from tools.mesh.injection import SIDECAR

Object = dict[str, Any]
_TOLD = "ISTIO_PROMETHEUS_ANNOTATIONS"
_SERVER, _PATH = 8000, "/metrics"


@dataclass(frozen=True)
class Place:
    """Where metrics are asked for.

    Attributes:
        port, path: of the pod.
        why: what says so.
    """

    port: int
    path: str
    why: str

    def __str__(self) -> str:
        return f"port {self.port} {self.path} (by {self.why})"


def place(pod: Object) -> Place:
    """Where a Prometheus that goes by annotations looks, or one that is told the server's own port."""
    said: dict[str, str] = pod["metadata"].get("annotations") or {}
    if said.get("prometheus.io/scrape") != "true":
        return Place(_SERVER, _PATH, "the server's port, because the pod has no annotation prometheus.io/scrape")
    port = said.get("prometheus.io/port", "")
    return Place(
        int(port) if port.isdigit() else _SERVER,
        said.get("prometheus.io/path", _PATH),
        "the pod's annotations prometheus.io/port and path",
    )


def merged(pod: Object) -> str:
    """What the agent of a pod reads inside it and hands out with its own, in words."""
    spec = pod["spec"]
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        for variable in container.get("env", []) if container["name"] == SIDECAR else []:
            if variable["name"] == _TOLD and (found := _object(variable.get("value", ""))):
                return f"port {found.get('port', '80')} {found.get('path', _PATH)}"
    return "nothing"


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
