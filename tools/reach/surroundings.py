"""Reads a service and what is around it, as far as the table is concerned."""

from collections.abc import Mapping

from tools.kube import gateways, pods
from tools.kube.client import Object
from tools.kube.doors import Outside
from tools.kube.kinds import SERVICE
from tools.kube.llm_service import LlmService
from tools.netpolicy.flows import members
from tools.netpolicy.reading import Found, read
from tools.netpolicy.world import PodEnd, World
from tools.reach.cells import Who
from tools.reach.probers import PORT
from tools.reach.targets import Around


def surroundings(
    service: LlmService, probers: Mapping[Who, Object], outside: Outside, *, at_prometheus: bool
) -> Around:
    """All of it, now.

    Args:
        service: whose.
        probers: around it.
        outside: doors outside of the cluster.
        at_prometheus: whether connections can come from inside of a Prometheus, where there is one.
    """
    server = next((each for each in service.servers() if pods.is_ready(each)), service.servers()[0])
    picker = next((each for each in service.picker_pods() if pods.is_ready(each)), None)
    found = read(service)
    tenant, stranger = probers.get(Who.OTHER), probers.get(Who.STRANGER)
    istiods = members(found.world, found.facts.istiod)
    gateway = next(iter(members(found.world, found.facts.gateway)), None)
    addresses = [value for _, value in gateways.addresses(service.read_gateway())]
    return Around(
        found.world,
        found.facts,
        server,
        picker,
        _dns(service, found),
        addresses[0] if addresses else "",
        pod_of(found.world, gateway) if gateway else None,
        pod_of(found.world, istiods[0]) if istiods else None,
        (tenant, PORT) if tenant is not None else None,
        (stranger, PORT) if stranger is not None else None,
        outside,
        monitored=at_prometheus and any(members(found.world, each) for each in found.facts.monitoring),
    )


def pod_of(world: World, end: PodEnd) -> Object:
    """A pod by its namespace and name.

    Raises:
        StopIteration: it is not there.
    """
    wanted = (end.namespace, end.name)
    return next(each for each in world.pods if (each["metadata"]["namespace"], each["metadata"]["name"]) == wanted)


def _dns(service: LlmService, found: Found) -> str:
    dns = found.facts.dns.pods
    if dns is None:
        return ""
    services = service.kube.objects(SERVICE, dns.namespace)
    return next((each["spec"]["clusterIP"] for each in services if each["spec"].get("selector") == dns.labels), "")
