"""What kubelets have seen already: a pod whose readiness probe succeeds is reached by its node at that port. Pure."""

from collections.abc import Iterator

from tools.kube import pods
from tools.kube.client import Object

_WAYS = ("httpGet", "tcpSocket", "grpc")


def ports_reached(pod: Object) -> frozenset[int]:
    """Ports at which a pod that is Ready is reached by its kubelet, over the network, again and again.

    A pod that is not Ready tells of none: which of its probes fails is not said.
    """
    return frozenset(_ports(pod)) if pods.is_ready(pod) else frozenset()


def _ports(pod: Object) -> Iterator[int]:
    spec = pod["spec"]
    # Init containers that stay have probes, too: sidecars.
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        probe: Object = container.get("readinessProbe") or {}
        for asked in (probe[way] for way in _WAYS if way in probe):
            if not asked.get("host"):
                named = {each.get("name"): each["containerPort"] for each in container.get("ports", [])}
                port = named.get(asked["port"], asked["port"])
                if isinstance(port, int):
                    yield port
