"""Objects as the API server has them, for tests of NetworkPolicies: no more of each than policies can mean."""

from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Object:
    """A namespace; the API server gives each the label of its name."""
    own = {"kubernetes.io/metadata.name": name, **(labels or {})}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}


def pod(
    where: str,
    address: str,
    *,
    node: str = "node-a",
    labels: Mapping[str, str] | None = None,
    ports: Sequence[Mapping[str, Any]] = (),
    phase: str = "Running",
    host_network: bool = False,
    created: str = "2026-11-24T12:00:00Z",
) -> Object:
    """A pod `namespace/name` at an address (empty: none yet), whose container names ports."""
    space, _, name = where.partition("/")
    spec: Object = {"nodeName": node, "containers": [{"name": "main", "ports": [dict(port) for port in ports]}]}
    if host_network:
        spec["hostNetwork"] = True
    status = {"phase": phase} | ({"podIP": address, "podIPs": [{"ip": address}]} if address else {})
    meta = {
        "namespace": space,
        "name": name,
        "labels": dict(labels or {}),
        "creationTimestamp": created,
        "uid": f"uid-of-{space}-{name}",
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def policy(where: str, spec: Mapping[str, Any]) -> Object:
    """A NetworkPolicy `namespace/name`; without `podSelector` it selects all."""
    space, _, name = where.partition("/")
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": space, "name": name},
        "spec": {"podSelector": {}, **spec},
    }
