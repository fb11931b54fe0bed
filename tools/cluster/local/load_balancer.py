"""Stand-in for a cloud's load balancer: gives Services of type LoadBalancer an address that is routed to the nodes.

Runs as a component of the control machine; kube-proxy does the balancing.
"""

import sys
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubernetes import client, config, watch


def choose_address(pool: IPv4Network, taken: Iterable[str]) -> IPv4Address | None:
    """The lowest free address of the pool, or None."""
    used = set(taken)
    return next((address for address in pool.hosts() if str(address) not in used), None)


def addresses_of(service: Any) -> list[str]:
    """Load-balancer addresses that a Service has."""
    return [entry.ip for entry in service.status.load_balancer.ingress or [] if entry.ip]


def serve(pool: IPv4Network, reserved: Sequence[str]) -> None:
    """Assign addresses until ended, all but the reserved ones; a Service's deletion frees its address."""
    api = client.CoreV1Api()
    while True:
        listed = api.list_service_for_all_namespaces()
        held = {"": list(reserved)} | {service.metadata.uid: addresses_of(service) for service in listed.items}
        for service in listed.items:
            _serve_one(api, service, pool, held)
        _follow(api, listed.metadata.resource_version, pool, held)


def _follow(api: client.CoreV1Api, version: str, pool: IPv4Network, held: dict[str, list[str]]) -> None:
    """Serve changes until one frees an address that somebody may wait for, or the server has forgotten the version."""
    try:
        for event in watch.Watch().stream(api.list_service_for_all_namespaces, resource_version=version):
            if event["type"] == "DELETED" and held.pop(event["object"].metadata.uid, []):
                return
            if event["type"] in {"ADDED", "MODIFIED"}:
                _serve_one(api, event["object"], pool, held)
    except client.ApiException as error:
        if error.status != 410:  # "gone": the documented answer is to list again
            raise


def _serve_one(api: client.CoreV1Api, service: Any, pool: IPv4Network, held: dict[str, list[str]]) -> None:
    uid = service.metadata.uid
    if service.spec.type != "LoadBalancer" or addresses_of(service):
        held[uid] = addresses_of(service)
        return
    # An event from before our own patch does not show the address yet: it keeps the one it was given.
    mine = held.get(uid) or [str(choose_address(pool, (taken for each in held.values() for taken in each)) or "")]
    name = f"{service.metadata.namespace}/{service.metadata.name}"
    if mine == [""]:
        print(f"no address left in {pool} for {name}", flush=True)
        return
    held[uid] = mine
    status = {"status": {"loadBalancer": {"ingress": [{"ip": address} for address in mine]}}}
    try:
        api.patch_namespaced_service_status(service.metadata.name, service.metadata.namespace, status)
    except client.ApiException as error:
        if error.status != 404:  # deleted meanwhile
            raise
    print(f"{name}: {', '.join(mine)}", flush=True)


def main() -> None:
    """Entry point: `python -m tools.cluster.local.load_balancer KUBECONFIG POOL RESERVED…`."""
    config.load_kube_config(sys.argv[1])
    serve(IPv4Network(sys.argv[2]), sys.argv[3:])


if __name__ == "__main__":
    main()
