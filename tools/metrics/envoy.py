"""The state of a sidecar, asked of its own admin port from inside the pod."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.port_forward import get_from_pod

ADMIN_PORT = 15000
_STATS = "/stats?format=json&filter=^(cluster_manager.cds|listener_manager.lds)[.]update_success$"
# Counters of Envoy: configuration of upstream clusters and of listeners that was taken.
_TAKEN = ("cluster_manager.cds.update_success", "listener_manager.lds.update_success")
# What of its configuration can be refused. Counters of refusals never go back, so they tell nothing of now.
_RESOURCES = ("dynamic_listeners", "dynamic_active_clusters", "dynamic_warming_clusters", "dynamic_route_configs")


@dataclass(frozen=True)
class ProxyState:
    """What a sidecar says of itself.

    Attributes:
        state: `LIVE` when it serves.
        stats: the counters above.
        refusals: what it refuses of what istiod sent last, one line each.
        problem: why it could not be asked.
    """

    state: str
    stats: dict[str, int]
    refusals: tuple[str, ...] = ()
    problem: str = ""

    @property
    def trouble(self) -> list[str]:
        """What keeps it from being in sync, one line each."""
        if self.problem:
            return [self.problem]
        wrong = [] if self.state == "LIVE" else [f"its state is {self.state}"]
        return [*wrong, *(f"{name} is 0" for name in _TAKEN if not self.stats.get(name)), *self.refusals]


def state(kube: Kube, namespace: str, pod: Object) -> ProxyState:
    """Ask a pod's sidecar."""
    name = pod["metadata"]["name"]
    try:
        info = json.loads(get_from_pod(kube, namespace, name, ADMIN_PORT, "/server_info").body)
        listed = json.loads(get_from_pod(kube, namespace, name, ADMIN_PORT, _STATS).body)["stats"]
        refusals = tuple(refused(kube, pod))
    except (KubeError, ValueError) as error:
        return ProxyState("", {}, (), f"its admin port {ADMIN_PORT} did not answer: {error}")
    return ProxyState(info["state"], {each["name"]: each["value"] for each in listed if "name" in each}, refusals)


def refused(kube: Kube, pod: Object) -> list[str]:
    """What a pod's sidecar refuses of what it was sent last, with Envoy's own words.

    Raises:
        KubeError: it could not be asked.
    """
    meta = pod["metadata"]
    lines = []
    for resource in _RESOURCES:
        path = f"/config_dump?resource={resource}"
        lines += refusals(get_from_pod(kube, meta["namespace"], meta["name"], ADMIN_PORT, path).body)
    return lines


def refusals(dump: str) -> list[str]:
    """The last updates that failed, of an answer to /config_dump?resource=…, one line each. Pure."""
    return [
        f"it refuses the update of {each.get('name') or 'a resource'}: {details}"
        for each in _objects(json.loads(dump))
        if (details := each.get("error_state", {}).get("details"))
    ]


def _objects(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from found.get("configs", [])
