"""The variants in which the stack is installed: the same charts, with other values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.manifests import monitoring, presets
from tools.paths import CHECKOUT

_Change = Callable[[Sequence[dict[str, Any]]], list[dict[str, Any]]]
_MANIFESTS = CHECKOUT / "manifests" / "stack"


@dataclass(frozen=True)
class Variant:
    """A way to install the stack.

    Attributes:
        name: the directory of its values below manifests/stack.
        presets: what it changes in KServe's presets, as the chart renders them.
        monitoring: what it changes in its overlay of manifests/monitoring; None where it brings no Prometheus.
    """

    name: str
    presets: _Change
    monitoring: _Change | None = None

    @property
    def values(self) -> Path:
        """Directory with one file of Helm values per chart, and `gateway.yaml`."""
        return _MANIFESTS / self.name


def _as_released(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(documents)


# Images built here, upstream Envoy, small requests: for the local cluster.
LOCAL = Variant("local", presets.for_local_cluster, monitoring.for_local_cluster)
# Released images, Istio's own proxy, telemetry on: for clusters that can pull.
UPSTREAM = Variant("upstream", _as_released)
