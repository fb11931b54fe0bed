"""A client in the mesh that is nobody's: agnhost with a sidecar and an account that no policy names. Pure."""

from collections.abc import Mapping
from typing import Any

from tools.probe.pod import probe_pod

Object = dict[str, Any]

NAME = "stranger-in-the-mesh"
PORT = 8080


def stranger(namespace: str, image: str, user: Mapping[str, int], labels: Mapping[str, str]) -> Object:
    """The pod, in the mesh whatever its namespace asks for.

    Args:
        namespace: where; its account is the namespace's `default`.
        image: agnhost.
        user: from `tools.probe.pod.user_of`.
        labels: of everything that the run makes.
    """
    metadata = {
        "name": NAME,
        "namespace": namespace,
        "labels": {**labels, "sidecar.istio.io/inject": "true"},
        # What it is told to ask comes in plaintext, which a mesh may refuse; what it asks goes through its sidecar.
        "annotations": {"traffic.sidecar.istio.io/excludeInboundPorts": str(PORT)},
    }
    serve = {"readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1}}
    return probe_pod(metadata, image, ["netexec", f"--http-port={PORT}"], user=user, container=serve)
