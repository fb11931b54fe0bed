"""The state of a sidecar, asked of its own admin port from inside the pod."""

import json
from dataclasses import dataclass

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.port_forward import get_from_pod

ADMIN_PORT = 15000
_STATS = "/stats?format=json&filter=^(cluster_manager.cds|listener_manager.lds)[.]update_(success|rejected)$"
# Counters of Envoy: configuration of upstream clusters and of listeners that was taken or refused.
_TAKEN = ("cluster_manager.cds.update_success", "listener_manager.lds.update_success")
_REFUSED = ("cluster_manager.cds.update_rejected", "listener_manager.lds.update_rejected")


@dataclass(frozen=True)
class ProxyState:
    """What a sidecar says of itself.

    Attributes:
        state: `LIVE` when it serves.
        stats: the counters above.
        problem: why it could not be asked.
    """

    state: str
    stats: dict[str, int]
    problem: str = ""

    @property
    def trouble(self) -> list[str]:
        """What keeps it from being in sync, one line each."""
        if self.problem:
            return [self.problem]
        wrong = [] if self.state == "LIVE" else [f"its state is {self.state}"]
        wrong += [f"{name} is 0" for name in _TAKEN if not self.stats.get(name)]
        return wrong + [f"{name} is {self.stats[name]}" for name in _REFUSED if self.stats.get(name)]


def state(kube: Kube, namespace: str, pod: Object) -> ProxyState:
    """Ask a pod's sidecar."""
    name = pod["metadata"]["name"]
    try:
        info = json.loads(get_from_pod(kube, namespace, name, ADMIN_PORT, "/server_info").body)
        listed = json.loads(get_from_pod(kube, namespace, name, ADMIN_PORT, _STATS).body)["stats"]
    except (KubeError, ValueError) as error:
        return ProxyState("", {}, f"its admin port {ADMIN_PORT} did not answer: {error}")
    return ProxyState(info["state"], {each["name"]: each["value"] for each in listed if "name" in each})
