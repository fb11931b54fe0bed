"""Reads from a cluster what policies apply to, and what the policies of a service have to know. Only reads."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import pairwise

from tools.kube import gateways, picker_flags
from tools.kube.download import SIDECAR, download
from tools.kube.kinds import ENDPOINT_SLICE, NAMESPACE, NETWORK_POLICY, POD, SERVICE
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.kube.model_hub import REAL, hub_of
from tools.kube.pods import container
from tools.netpolicy.facts import SCHEDULER, SERVER_PORT, WORKLOAD, Dns, Facts, ModelSource, Pods
from tools.netpolicy.flows import is_among
from tools.netpolicy.world import Object, World, is_alive

# Of no public server: RFC 1918, carrier's (pods of some clouds), and link-local, where the cloud's metadata server is.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
# What the model is not downloaded from by the pod.
_MOUNTED = ("pvc", "oci")
_DNS_SERVICES = (("kube-system", "kube-dns"), ("openshift-dns", "dns-default"), ("kube-system", "coredns"))
# Where GKE's Cloud DNS answers, which has no pods.
_CLOUD_DNS = "169.254.169.254"
_PROMETHEUS = {"app.kubernetes.io/name": "prometheus"}
_NODE_LOCAL = {"k8s-app": "node-local-dns"}
_COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Found:
    """A cluster as far as NetworkPolicies are concerned, and what a service in it needs."""

    world: World
    facts: Facts


def read(service: LlmService, source: str = "") -> Found:
    """Read it.

    Args:
        service: whose neighbours.
        source: a range of addresses that models come from, where it is known; otherwise all public ones.
    """
    kube = service.kube
    pods, policies = kube.objects(POD), kube.objects(NETWORK_POLICY)
    # After the pods, so that none is in a namespace that is not there yet.
    world = World(kube.objects(NAMESPACE), pods, policies)
    services, slices = kube.objects(SERVICE), kube.objects(ENDPOINT_SLICE)
    spec = service.read()["spec"]
    alive = [each for each in pods if is_alive(each)]
    members = _of_service(service, alive)
    addresses, port = _api_server(slices)
    labels = world.labels_of_namespace(service.namespace)
    sidecars = any(container(each, SIDECAR) for each in members) if members else _injects(labels)
    facts = Facts(
        namespace=service.namespace,
        service=service.name,
        gateway=Pods(service.gateway.namespace, {gateways.NAME: service.gateway.name}),
        listeners=tuple(sorted({each["port"] for each in service.read_gateway()["spec"]["listeners"]})),
        api_server=addresses,
        api_server_port=port,
        api_service=next(_cluster_ip(each) for each in services if _is(each, "default", "kubernetes")),
        dns=_dns(services, slices, alive),
        istiod=Pods(service.istiod.namespace, {"app": "istiod"}),
        picker=_has_picker(spec),
        scraped=_scraped(spec),
        sidecars=sidecars,
        source=_source(service, spec, members, source),
        monitoring=_monitoring(alive),
        events=any("kv-events-config" in json.dumps(each["spec"]) for each in members),
        ambient=not sidecars and labels.get("istio.io/dataplane-mode") == "ambient",
    )
    return Found(world, facts)


def _scraped(spec: Object) -> int:
    """The port that the service tells its picker to read metrics at, or the servers' own."""
    template = spec.get("router", {}).get("scheduler", {}).get("template", {})
    main: Object = next((each for each in template.get("containers", []) if each["name"] == SERVER_CONTAINER), {})
    return int(picker_flags.flags(main)["model-server-metrics-port"]) or SERVER_PORT


def uncovered(spec: Object) -> str:
    """What a service has for which there are no policies yet; empty if it has nothing of that kind. Pure."""
    several = [key for key in ("prefill", "worker") if spec.get(key)]
    return f"spec.{' and spec.'.join(several)}, whose pods talk to each other" if several else ""


def _of_service(service: LlmService, pods: Sequence[Object]) -> list[Object]:
    family = Pods(
        service.namespace, {"app.kubernetes.io/part-of": "llminferenceservice", "app.kubernetes.io/name": service.name}
    )
    return [each for each in pods if is_among(each, family)]


def _has_picker(spec: Object) -> bool:
    scheduler = spec.get("router", {}).get("scheduler")
    # A pool that is referred to has a picker of its own, which is not the service's.
    return scheduler is not None and not scheduler.get("pool", {}).get("ref")


def _api_server(slices: Sequence[Object]) -> tuple[tuple[str, ...], int]:
    found = [each for each in slices if _is_slice_of(each, "default", "kubernetes")]
    ports = {port["port"] for each in found for port in each["ports"]}
    return tuple(sorted(_addresses(found))), min(ports)


def _dns(services: Sequence[Object], slices: Sequence[Object], pods: Sequence[Object]) -> Dns:
    local = [each for each in pods if is_matching(each, _NODE_LOCAL)]
    resolvers = sorted({ip for each in local for ip in _local_ips(each)})
    for namespace, name in _DNS_SERVICES:
        found = [each for each in slices if _is_slice_of(each, namespace, name)]
        selector = next((each["spec"].get("selector") for each in services if _is(each, namespace, name)), None)
        if selector and _addresses(found):
            ports = {port["port"] for each in found for port in each["ports"] if port.get("protocol") == "UDP"}
            return Dns(Pods(namespace, selector), min(ports, default=53), tuple(resolvers))
    return Dns(None, 53, tuple(resolvers) or (_CLOUD_DNS,))


def _local_ips(pod: Object) -> list[str]:
    """Link-local addresses that NodeLocal DNSCache listens on: its argument -localip."""
    words = [word for each in pod["spec"]["containers"] for word in each.get("args", [])]
    told = [after for word, after in pairwise(words) if word == "-localip"]
    return [ip for each in told for ip in each.split(",") if ip_address(ip).is_link_local]


def _source(service: LlmService, spec: Object, members: Sequence[Object], cidr: str) -> ModelSource | None:
    labels = {each["metadata"]["labels"].get(_COMPONENT, "") for each in members if download(each)}
    components = tuple(sorted(labels & {WORKLOAD, SCHEDULER}))
    if not members and spec["model"]["uri"].partition("://")[0] not in _MOUNTED:
        # Not seen yet; in some releases the picker has a tokenizer, and downloads it as the servers do.
        components = (WORKLOAD, SCHEDULER) if _has_picker(spec) else (WORKLOAD,)
    if not components:
        return None
    hub = hub_of(service.kube)
    if cidr:
        return ModelSource(cidr, (), hub.port, str(ip_network(cidr)[0]), components)
    if hub is REAL:
        return ModelSource("0.0.0.0/0", PRIVATE, hub.port, str(hub.address), components)
    return ModelSource(f"{hub.address}/32", (), hub.port, str(hub.address), components)


def _monitoring(pods: Sequence[Object]) -> tuple[Pods, ...]:
    spaces = {each["metadata"]["namespace"] for each in pods if is_matching(each, _PROMETHEUS)}
    return tuple(Pods(each, _PROMETHEUS) for each in sorted(spaces))


def is_matching(pod: Object, labels: dict[str, str]) -> bool:
    """Whether a pod has labels, in whatever namespace. Pure."""
    return is_among(pod, Pods(pod["metadata"]["namespace"], labels))


def _injects(labels: object) -> bool:
    assert isinstance(labels, dict)
    return labels.get("istio-injection") == "enabled" or bool(labels.get("istio.io/rev"))


def _addresses(slices: Sequence[Object]) -> set[str]:
    return {ip for each in slices for end in each.get("endpoints") or [] for ip in end["addresses"]}


def _is(found: Object, namespace: str, name: str) -> bool:
    return bool(found["metadata"]["namespace"] == namespace and found["metadata"]["name"] == name)


def _is_slice_of(found: Object, namespace: str, service: str) -> bool:
    meta = found["metadata"]
    return bool(meta["namespace"] == namespace and meta.get("labels", {}).get("kubernetes.io/service-name") == service)


def _cluster_ip(service: Object) -> str:
    return str(service["spec"]["clusterIP"])
