"""The columns of the table for a service on its cluster. Pure, but for the objects that it is given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tools.kube.doors import Door, Outside
from tools.netpolicy.facts import SCHEDULER, WORKLOAD, XDS_PORT, Facts, Pods
from tools.netpolicy.flows import members
from tools.netpolicy.rules import in_block
from tools.netpolicy.world import Address, End, Object, PodEnd, World
from tools.reach.cells import IMPOSTORS, OF_GATEWAY, OF_PICKER, OF_SERVER, PORTS, SIDECAR, Target, What
from tools.reach.promise import Shape

# Of CoreDNS's plugin `prometheus` by custom, and of istiod.
_DNS_METRICS, _ISTIOD_METRICS = 9153, 15014


@dataclass(frozen=True)
class Around:
    """A service and what is around it, as it is now.

    Attributes:
        world: all that policies apply to.
        facts: the service's neighbours.
        server, picker: a pod of each; picker None where there is none.
        dns: address of the DNS Service; empty if its pods have none.
        balancer: address of the Gateway; empty if it has none.
        gateway, istiod: a pod of each; None where there is none.
        tenant: a pod of somebody else, and its port; None if there is none.
        stranger: a pod of the service's namespace that is not the service's, and its port.
        outside: doors outside of the cluster.
        monitored: whether a promised Prometheus connects in the row `monitoring`.
    """

    world: World
    facts: Facts
    server: Object
    picker: Object | None
    dns: str
    balancer: str
    gateway: Object | None
    istiod: Object | None
    tenant: tuple[Object, int] | None
    stranger: tuple[Object, int] | None
    outside: Outside
    monitored: bool = False

    @property
    def shape(self) -> Shape:
        """What of it decides about promises."""
        facts = self.facts
        return Shape(
            facts.picker and self.picker is not None,
            facts.sidecars,
            facts.shares_namespace_with_gateway,
            self.monitored,
            facts.scraped == PORTS[What.AGENT],
            _downloads_from(facts, self.outside.internet),
            facts.source is not None and WORKLOAD in facts.source.components,
            facts.source is not None and SCHEDULER in facts.source.components,
        )


def targets(around: Around) -> list[Target]:
    """All that can be connected to."""
    return list(_targets(around))


def _targets(around: Around) -> Iterator[Target]:
    facts = around.facts
    for what in OF_SERVER:
        if what not in SIDECAR or facts.sidecars:
            yield _pod(what, around.server, PORTS[what], f"the server's port {PORTS[what]}")
    for what in OF_PICKER if around.picker is not None else ():
        assert around.picker is not None
        yield _pod(what, around.picker, PORTS[what], f"the picker's port {PORTS[what]}")
    for what in OF_GATEWAY if around.gateway is not None else ():
        assert around.gateway is not None
        yield _pod(what, around.gateway, PORTS[what], f"the gateway's port {PORTS[what]}")
    servers = tuple((Address(each), facts.api_server_port) for each in facts.api_server)
    yield Target(What.API, facts.api_service, 443, "the API server", servers)
    yield from _dns(around)
    if around.istiod is not None:
        yield _pod(What.ISTIOD, around.istiod, XDS_PORT, "istiod")
        yield _pod(What.ISTIOD_METRICS, around.istiod, _ISTIOD_METRICS, "istiod's port for metrics")
        yield from _beside(What.BESIDE_ISTIOD, around.world, facts.istiod, XDS_PORT)
    if facts.source is not None and around.outside.internet is not None:
        # Where the internet may not be knocked at, the hub is not either.
        hub = Door(facts.source.example, facts.source.port)
        yield _door(What.HUB, hub, "where models come from")
        other = Door(hub.address, 443 if hub.port != 443 else 80)
        yield _door(What.HUB_OTHER, other, "another port of where models come from")
        api = Door(facts.api_server[0], 10259)
        yield _door(What.API_OTHER, api, "another port of the API server's machine")
    if around.outside.internet is not None:
        yield _door(What.INTERNET, around.outside.internet, "an address on the internet")
    if around.outside.metadata is not None:
        yield _door(What.METADATA, around.outside.metadata, "the cloud's metadata server")
    if around.tenant is not None:
        pod, port = around.tenant
        yield _pod(What.TENANT, pod, port, "a service of somebody else")
        # Nothing listens there: that it refuses shows that packets get there.
        for what, number in IMPOSTORS.items():
            yield _pod(
                what, pod, number, f"port {number} of somebody else's pod, which has the labels of DNS and istiod"
            )
    if around.stranger is not None:
        yield _pod(What.STRANGER, *around.stranger, "a pod of the service's namespace that is not the service's")
    if around.balancer:
        for what, port in zip((What.BALANCER, What.BALANCER_TLS), facts.listeners, strict=False):
            gateways = tuple((end, port) for end in members(around.world, facts.gateway))
            yield Target(what, around.balancer, port, "the Gateway's address", gateways)


def _dns(around: Around) -> Iterator[Target]:
    dns = around.facts.dns
    if dns.pods is not None and around.dns:
        ends: Sequence[tuple[PodEnd | Address, int]] = [(end, dns.port) for end in members(around.world, dns.pods)]
        address = around.dns
    elif dns.pods is None and dns.resolvers:
        address = dns.resolvers[0]
        ends = [(Address(address), 53)]
    else:
        return
    if dns.pods is not None:
        first = ends[0][0]
        yield _pod(What.DNS_METRICS, _named(around.world, first), _DNS_METRICS, "the DNS server's port for metrics")
        yield from _beside(What.BESIDE_DNS, around.world, dns.pods, dns.port)
    for what, protocol in ((What.DNS_UDP, "UDP"), (What.DNS_TCP, "TCP")):
        yield Target(what, address, 53, "the cluster's DNS", tuple(ends), protocol)


def _beside(what: What, world: World, chosen: Pods, port: int) -> Iterator[Target]:
    """Another pod of a namespace, where a rule that does not say which pods would lead."""
    found = members(world, Pods(chosen.namespace, {}))
    other = next((end for end in found if end not in members(world, chosen)), None)
    if other is not None:
        yield _pod(what, _named(world, other), port, f"port {port} of another pod of {chosen.namespace}")


def _named(world: World, end: End) -> Object:
    assert isinstance(end, PodEnd)
    wanted = (end.namespace, end.name)
    return next(each for each in world.pods if (each["metadata"]["namespace"], each["metadata"]["name"]) == wanted)


def _pod(what: What, pod: Object, port: int, name: str) -> Target:
    meta = pod["metadata"]
    end = PodEnd(meta["namespace"], meta["name"])
    return Target(what, pod["status"]["podIP"], port, name, ((end, port),), node=pod["spec"]["nodeName"])


def _door(what: What, door: Door, name: str) -> Target:
    return Target(what, door.address, door.port, name, ((Address(door.address), door.port),))


def _downloads_from(facts: Facts, door: Door | None) -> bool:
    """Whether the servers' model may come from where a door stands for."""
    source = facts.source
    if source is None or door is None or door.port != source.port:
        return False
    return in_block({"cidr": source.cidr, "except": list(source.excepted)}, door.address)
