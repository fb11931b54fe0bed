"""The flows without which a service does not work: who connects to whom, where, and what happens otherwise. Pure.

The table is the required-flow matrix of the fault catalogue (appendix D). What is not in it has to be denied.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.netpolicy.facts import (
    API_SERVICE_PORT,
    EVENTS_PORT,
    GATEWAY_HEALTH,
    GATEWAY_METRICS,
    PICKER_METRICS,
    PICKER_PORT,
    SCHEDULER,
    SERVER_PORT,
    SIDECAR_METRICS,
    TUNNEL_PORT,
    XDS_PORT,
    Facts,
    Pods,
)
from tools.netpolicy.generate import block
from tools.netpolicy.selectors import matches
from tools.netpolicy.world import Address, End, Object, PodEnd, World, is_alive, is_host

# Stands for any client: in a range for documentation, which is nobody's.
OUTSIDE = "203.0.113.7"


@dataclass(frozen=True)
class Flow:
    """A kind of connections that has to be let through.

    Attributes:
        name: who to whom.
        source: the pods that connect, or an address that stands for all clients.
        to: the pods, or the address, that they connect to.
        port, protocol: there.
        without: what happens where it is not let through.
        on_start: it is needed when a pod starts, so that what runs goes on without it.
        block: the ipBlock of a destination that is one of many addresses; empty if it is `to` alone.
    """

    name: str
    source: Pods | str
    to: Pods | str
    port: int
    without: str
    protocol: str = "TCP"
    on_start: bool = False
    block: Object = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """Protocol and port."""
        return self.protocol, self.port

    @property
    def egress_rule(self) -> Object:
        """The rule that the source's policy needs for it."""
        address = {"ipBlock": self.block} if self.block else None
        peer = self.to.peer if isinstance(self.to, Pods) else address or block(self.to)
        return {"to": [peer], "ports": [{"protocol": self.protocol, "port": self.port}]}

    @property
    def ingress_rule(self) -> Object:
        """The rule that the destination's policy needs for it."""
        peers = {} if isinstance(self.source, str) else {"from": [self.source.peer]}
        return {**peers, "ports": [{"protocol": self.protocol, "port": self.port}]}


def required(facts: Facts) -> list[Flow]:
    """All flows that a service needs, as far as its own namespace's policies can stop them."""
    return [*_serving(facts), *_names(facts), *_starting(facts), *_watching(facts)]


def _serving(facts: Facts) -> Iterator[Flow]:
    gateway, servers, pickers = facts.gateway, facts.servers, facts.pickers
    if facts.shares_namespace_with_gateway:
        for port in facts.listeners:
            yield Flow("clients to gateway", OUTSIDE, gateway, port, "nobody reaches the service at all")
        lost = "load balancers take the gateway for dead"
        yield Flow("load balancers' health checks to gateway", OUTSIDE, gateway, GATEWAY_HEALTH, lost)
    yield Flow("gateway to servers", gateway, servers, SERVER_PORT, "requests are 503, after a time-out")
    if facts.picker:
        blind = "completions are 500 (FailClose), or sent to servers unpicked without a word (FailOpen)"
        yield Flow("gateway to picker", gateway, pickers, PICKER_PORT, blind)
        yield Flow("picker to servers", pickers, servers, facts.scraped, "the picker sees no metrics and picks blindly")
        lost = "the picker does not see pods and its pool, and restarts or never becomes ready"
        for address in facts.api_server:
            yield Flow("picker to API server", pickers, address, facts.api_server_port, lost)
        yield Flow("picker to API server's Service", pickers, facts.api_service, API_SERVICE_PORT, lost)
    if facts.events and facts.picker:
        yield Flow("servers to picker's events", servers, pickers, EVENTS_PORT, "the index of prefixes stays empty")
    if facts.ambient:
        lost = "the mesh's tunnel (HBONE) is closed: requests of the mesh time out"
        yield Flow("gateway to servers' tunnel", gateway, servers, TUNNEL_PORT, lost)


def _names(facts: Facts) -> Iterator[Flow]:
    lost = "no name resolves: downloads, sidecars and the picker fail on start"
    askers = [("servers", facts.servers)] + ([("picker", facts.pickers)] if facts.picker else [])
    askers += [("gateway", facts.gateway)] if facts.shares_namespace_with_gateway else []
    for who, pods in askers:
        for protocol in ("UDP", "TCP"):
            if facts.dns.pods is not None:
                yield Flow(f"{who} to DNS", pods, facts.dns.pods, facts.dns.port, lost, protocol)
            for resolver in facts.dns.resolvers:
                yield Flow(f"{who} to the node's resolver", pods, resolver, 53, lost, protocol)


def _starting(facts: Facts) -> Iterator[Flow]:
    if (source := facts.source) is not None:
        for component in source.components:
            starting = Pods(facts.namespace, {**facts.family, "app.kubernetes.io/component": component})
            name = f"{'picker' if component == SCHEDULER else 'servers'} to model source"
            lost = "the model is not downloaded, and the pod hangs in Init"
            yield Flow(name, starting, source.example, source.port, lost, on_start=True, block=source.block)
    proxied = [("servers", facts.servers)] if facts.sidecars else []
    proxied += [("gateway", facts.gateway)] if facts.shares_namespace_with_gateway else []
    lost = "proxies get no configuration and no certificates, and new ones never become ready"
    for who, pods in proxied:
        yield Flow(f"{who} to istiod", pods, facts.istiod, XDS_PORT, lost)


def _watching(facts: Facts) -> Iterator[Flow]:
    lost = "dashboards and alerts are empty"
    for monitoring in facts.monitoring:
        for port in (SERVER_PORT, *(SIDECAR_METRICS if facts.sidecars else ())):
            yield Flow("Prometheus to servers", monitoring, facts.servers, port, lost)
        if facts.picker:
            yield Flow("Prometheus to picker", monitoring, facts.pickers, PICKER_METRICS, lost)
        if facts.shares_namespace_with_gateway:
            for port in GATEWAY_METRICS:
                yield Flow("Prometheus to gateway", monitoring, facts.gateway, port, lost)


def members(world: World, chosen: Pods) -> list[PodEnd]:
    """The pods that labels choose, by name; those that have ended and those in their node's network are not."""
    found = [each for each in world.pods if is_alive(each) and not is_host(each) and is_among(each, chosen)]
    return sorted(PodEnd(each["metadata"]["namespace"], each["metadata"]["name"]) for each in found)


def is_among(pod: Object, chosen: Pods) -> bool:
    """Whether labels choose a pod."""
    meta = pod["metadata"]
    own = meta["namespace"] == chosen.namespace
    return own and matches({"matchLabels": dict(chosen.labels)}, meta.get("labels") or {})


def ends(world: World, flow: Flow) -> Iterator[tuple[End, End]]:
    """The connections of a flow between what there is."""
    for source in _all(world, flow.source):
        for destination in _all(world, flow.to):
            yield source, destination


def _all(world: World, side: Pods | str) -> list[End]:
    return [Address(side)] if isinstance(side, str) else [*members(world, side)]
