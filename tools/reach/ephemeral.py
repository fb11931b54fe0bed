"""Inside of pods that are there already: an ephemeral container with agnhost, where the user allows one.

It cannot be taken out again, so it stays until its pod ends; one that runs is used again. It runs as the proxy's user,
whose traffic the pod's own sidecar does not capture.
"""

from collections.abc import Mapping

from tools.kube.client import Kube, Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import POD
from tools.kube.pods import state_line
from tools.netpolicy.world import PodEnd
from tools.reach.cells import Who
from tools.reach.pod_source import PodSource
from tools.waiting.timeouts import seconds

_PREFIX = "llmisvc-conformance-prober"
# Of Istio's proxy: what this user sends is not captured by the pod's own sidecar (istio-iptables, --proxy-uid).
_PROXY_USER = 1337
# It shares the memory that its pod may use, and an agnhost has 8 MiB.
_TOGETHER = 8


def inside(kube: Kube, image: str, pods: Mapping[Who, Object]) -> dict[Who, PodSource]:
    """A source inside of each of these pods.

    Args:
        kube: the cluster.
        image: agnhost.
        pods: that get a container, unless one of ours runs in them.

    Raises:
        KubeError: the API server refuses.
        NotConverged: a container does not run.
    """
    names = {who: running(pod) or _added(kube, image, pod) for who, pod in pods.items()}
    return {who: _source(kube, pods[who], name) for who, name in names.items()}


def running(pod: Object) -> str:
    """Our container that runs in a pod; empty if none does. Pure."""
    return next((each["name"] for each in _ours(pod) if "running" in each.get("state", {})), "")


def added(pod: Object, image: str) -> Object:
    """The patch that adds our next container to those of a pod, none of which may be left out. Pure."""
    there = pod["spec"].get("ephemeralContainers") or []
    taken = {each["name"] for each in there}
    number = next(each for each in range(len(taken) + 1) if f"{_PREFIX}-{each}" not in taken)
    container = {
        "name": f"{_PREFIX}-{number}",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["pause"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": _PROXY_USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    return {"spec": {"ephemeralContainers": [*there, container]}}


def _added(kube: Kube, image: str, pod: Object) -> str:
    meta, patch = pod["metadata"], added(pod, image)
    kube.patch(POD, meta["name"], meta["namespace"], patch, subresource="ephemeralcontainers")
    return str(patch["spec"]["ephemeralContainers"][-1]["name"])


def _source(kube: Kube, pod: Object, name: str) -> PodSource:
    end = PodEnd(pod["metadata"]["namespace"], pod["metadata"]["name"])

    def lacking(found: list[Object]) -> str:
        statuses = [each for one in found for each in _ours(one) if each["name"] == name]
        if any("running" in each.get("state", {}) for each in statuses):
            return ""
        return "; ".join(map(state_line, statuses)) or "it has not begun"

    chosen = Selection(POD, end.namespace, end.name)
    converge(kube, f"ephemeral container {name} of pod {end} to run", chosen, lacking, budget=seconds("prober-ready"))
    return PodSource(kube, end, name, _TOGETHER)


def _ours(pod: Object) -> list[Object]:
    found = pod.get("status", {}).get("ephemeralContainerStatuses") or []
    return [each for each in found if each["name"].startswith(_PREFIX)]
