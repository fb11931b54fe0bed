"""Stand-in for a cloud's load balancer: gives Services of type LoadBalancer an address that is routed to the nodes.

Runs as a component of the control machine; kube-proxy does the balancing.
"""

import sys
from collections.abc import Iterable
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


def serve(pool: IPv4Network) -> None:
    """Assign addresses until ended; a Service's deletion frees its address."""
    api = client.CoreV1Api()
    held: dict[str, list[str]] = {}
    while True:
        listed = api.list_service_for_all_namespaces()
        held = {service.metadata.uid: addresses_of(service) for service in listed.items}
        for service in listed.items:
            _serve_one(api, service, pool, held)
        # The watch ends when the server closes it; listing again is the documented way on.
        stream = watch.Watch().stream(
            api.list_service_for_all_namespaces, resource_version=listed.metadata.resource_version
        )
        for event in stream:
            if event["type"] == "DELETED":
                held.pop(event["object"].metadata.uid, None)
            elif event["type"] in {"ADDED", "MODIFIED"}:
                _serve_one(api, event["object"], pool, held)


def _serve_one(api: client.CoreV1Api, service: Any, pool: IPv4Network, held: dict[str, list[str]]) -> None:
    uid = service.metadata.uid
    if service.spec.type != "LoadBalancer" or addresses_of(service):
        held[uid] = addresses_of(service)
        return
    address = choose_address(pool, (taken for addresses in held.values() for taken in addresses))
    name = f"{service.metadata.namespace}/{service.metadata.name}"
    if address is None:
        print(f"no address left in {pool} for {name}", flush=True)
        return
    held[uid] = [str(address)]
    status = {"status": {"loadBalancer": {"ingress": [{"ip": str(address)}]}}}
    try:
        api.patch_namespaced_service_status(service.metadata.name, service.metadata.namespace, status)
    except client.ApiException as error:
        if error.status != 404:  # deleted meanwhile
            raise
    print(f"{name}: {address}", flush=True)


def main() -> None:
    """Entry point: `python -m tools.cluster.local.load_balancer KUBECONFIG POOL`."""
    config.load_kube_config(sys.argv[1])
    serve(IPv4Network(sys.argv[2]))


if __name__ == "__main__":
    main()
