"""istiod's own view of its proxies: which configuration it sent last, and which one each has taken."""

import json
from typing import Any

from tools.kube.client import Kube
from tools.kube.kinds import POD
from tools.kube.port_forward import get_from_pod

_LABELS = "app=istiod"
# The port of istiod's metrics, which serves /debug, too.
_PORT = 15014


def unacknowledged(kube: Kube, namespace: str) -> dict[str, list[str]]:
    """By proxy (`POD.NAMESPACE`), what it has not taken yet; a proxy that no istiod knows is absent.

    Args:
        kube: the cluster.
        namespace: of Istio's control plane.

    Raises:
        KubeError: an istiod could not be asked.
    """
    found: dict[str, list[str]] = {}
    for pod in kube.objects(POD, namespace, labels=_LABELS):
        answer = get_from_pod(kube, namespace, pod["metadata"]["name"], _PORT, "/debug/syncz")
        # Each proxy is connected to one of them.
        found |= {each["proxy"]: behind(each) for each in json.loads(answer.body) or []}
    return found


def behind(proxy: dict[str, Any]) -> list[str]:
    """Types of configuration whose last sent version a proxy of /debug/syncz has not acknowledged, one line each."""
    return [
        f"{url.rpartition('.')[2]}: {state['sent']} was sent, {state.get('acked') or 'none'} taken"
        for url, state in sorted(proxy.get("resources", {}).items())
        if state.get("sent") and state.get("acked") != state["sent"]
    ]
