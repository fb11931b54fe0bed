"""What policies are applied to: namespaces, pods, nodes and policies as the API has them; ends of connections. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

Object = dict[str, Any]
IpAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, order=True)
class PodEnd:
    """A pod, by its name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, order=True)
class NodeEnd:
    """A node, by its name: its kubelet, and whatever else is in its network namespace."""

    name: str

    def __str__(self) -> str:
        return f"node {self.name}"


@dataclass(frozen=True, order=True)
class Address:
    """An IP address. Where it is a pod's or a node's, that is who is meant. A Service's means nothing to policies: ask
    for its endpoints."""

    ip: str

    def __str__(self) -> str:
        return self.ip


End = PodEnd | NodeEnd | Address


@dataclass(frozen=True)
class Party:
    """An end as policies see it.

    Attributes:
        pod: the pod; None for nodes, for pods in their node's network, and for addresses of others.
        node: the node's name; of a pod, the one that it is on; empty if unknown.
        ips: its addresses, the first the primary one.
    """

    pod: Object | None
    node: str
    ips: tuple[IpAddress, ...]


class World:
    """A state of a cluster.

    Args:
        namespaces, pods, policies: raw objects as the API server gives them, of all namespaces that matter.
        nodes: raw objects; without them only those of a node's addresses are known that its pods tell (status.hostIPs).
    """

    def __init__(
        self,
        namespaces: Iterable[Object],
        pods: Iterable[Object],
        policies: Iterable[Object],
        nodes: Iterable[Object] = (),
    ) -> None:
        self.namespaces, self.pods = tuple(namespaces), tuple(pods)
        self.policies, self.nodes = tuple(policies), tuple(nodes)

    def labels_of_namespace(self, name: str) -> Mapping[str, str]:
        """Labels of a namespace.

        One that is not in the world, because it was made while the world was read, has the label that the API server
        gives to each.
        """
        found = self._namespaces.get(name)
        return (found["metadata"].get("labels") or {}) if found else {"kubernetes.io/metadata.name": name}

    def party(self, end: End) -> Party:
        """Who an end is.

        Raises:
            LookupError: there is no such pod, or it has ended.
        """
        match end:
            case PodEnd(namespace, name):
                if (pod := self._alive.get((namespace, name))) is None:
                    raise LookupError(f"there is no pod {end} that has not ended")
                return _of_pod(pod)
            case NodeEnd(name):
                return Party(None, name, tuple(ip for ip, owner in self._of_nodes.items() if owner == name))
            case Address(ip):
                address = ip_address(ip)
                if (pod := self._by_ip.get(address)) is not None:
                    return _of_pod(pod)
                return Party(None, self._of_nodes.get(address, ""), (address,))

    @cached_property
    def _namespaces(self) -> dict[str, Object]:
        return {each["metadata"]["name"]: each for each in self.namespaces}

    @cached_property
    def _alive(self) -> dict[tuple[str, str], Object]:
        return {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in self.pods if is_alive(each)}

    @cached_property
    def _by_ip(self) -> dict[IpAddress, Object]:
        return {ip: pod for pod in self._alive.values() if not is_host(pod) for ip in ips(pod)}

    @cached_property
    def _of_nodes(self) -> dict[IpAddress, str]:
        """The node that has each address."""
        found: dict[IpAddress, str] = {}
        for node in self.nodes:
            told = node.get("status", {}).get("addresses") or []
            found |= {
                ip_address(row["address"]): node["metadata"]["name"] for row in told if row["type"].endswith("IP")
            }
        for pod in self._alive.values():
            if name := pod["spec"].get("nodeName"):
                found |= dict.fromkeys(_host_ips(pod), name)
        return found


def is_alive(pod: Object) -> bool:
    """Whether a pod has not ended; a pod that is being deleted is there until its containers are gone."""
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def is_host(pod: Object) -> bool:
    """Whether a pod is in its node's network, where policies take it for its node."""
    return bool(pod["spec"].get("hostNetwork"))


def ips(pod: Object) -> tuple[IpAddress, ...]:
    """A pod's addresses, the primary one first; none while it has not started."""
    return _addresses(pod, "podIP", "podIPs")


def _host_ips(pod: Object) -> tuple[IpAddress, ...]:
    return _addresses(pod, "hostIP", "hostIPs")


def _addresses(pod: Object, single: str, several: str) -> tuple[IpAddress, ...]:
    status = pod.get("status", {})
    told = [status[single]] if status.get(single) else []
    told += [each["ip"] for each in status.get(several) or [] if each["ip"] not in told]
    return tuple(ip_address(each) for each in told)


def _of_pod(pod: Object) -> Party:
    node = pod["spec"].get("nodeName", "")
    if is_host(pod):
        return Party(None, node, _host_ips(pod) or ips(pod))
    return Party(pod, node, ips(pod))
