"""Namespaces, pods, nodes and policies in short, for tests of what policies mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.netpolicy.world import Object, World

NAMESPACES = {"llm": {"team": "ml"}, "apps": {"team": "web"}, "monitoring": {}}


def namespace(name: str, labels: Mapping[str, str] | None = None) -> Object:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **(labels or {})}}}


def pod(
    name: str,
    ip: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    node: str = "one",
    ports: Sequence[Object] = (),
    phase: str = "Running",
    host: bool = False,
    init: Sequence[Object] = (),
) -> Object:
    """A pod NAMESPACE/NAME. Nodes `one` and `two` have the addresses 172.16.0.1 and 172.16.0.2."""
    space, _, short = name.partition("/")
    spec: Object = {"nodeName": node, "containers": [{"name": "main", "ports": list(ports)}]}
    spec |= {"hostNetwork": True} if host else {}
    spec |= {"initContainers": list(init)} if init else {}
    host_ip = {"one": "172.16.0.1", "two": "172.16.0.2"}[node]
    own = host_ip if host else ip
    status: Object = {"phase": phase, "hostIP": host_ip, "hostIPs": [{"ip": host_ip}]}
    status |= {"podIP": own, "podIPs": [{"ip": own}]} if own else {}
    return {
        "metadata": {"namespace": space, "name": short, "labels": dict(labels or {})},
        "spec": spec,
        "status": status,
    }


def policy(name: str, spec: Mapping[str, Any]) -> Object:
    """A policy NAMESPACE/NAME."""
    space, _, short = name.partition("/")
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": space, "name": short},
        "spec": dict(spec),
    }


def world(*policies: Object, pods: Sequence[Object] = (), nodes: Sequence[Object] = ()) -> World:
    """The namespaces `llm`, `apps` and `monitoring` with these pods and policies."""
    return World([namespace(name, labels) for name, labels in NAMESPACES.items()], pods, policies, nodes)
