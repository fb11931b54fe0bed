"""What a profile promises of each cell: the required-flow matrix of the fault catalogue, and nothing else. Pure.

Written apart from what generates the policies that ship (`tools.netpolicy.flows`): neither may hide a mistake of the
other.
"""

from dataclasses import dataclass

from tools.reach.cells import OF_GATEWAY, OF_PICKER, OF_TENANT, OTHERS, OUTWARDS, SIDECAR, Cell, What, Who

# Appendix D of the fault catalogue, by cell: what happens if it is closed.
_ALWAYS = {
    (Who.GATEWAY, What.SERVER): "requests are 503 after a time-out",
    (Who.SERVER, What.DNS_UDP): "no name resolves: the next download fails",
    (Who.SERVER, What.DNS_TCP): "names with long answers do not resolve",
}
_WITH_PICKER = {
    (Who.GATEWAY, What.PICKER): "completions are 500 (FailClose), or go unpicked without a word (FailOpen)",
    (Who.PICKER, What.API): "the picker does not see pods and its pool",
    (Who.PICKER, What.DNS_UDP): "no name resolves",
    (Who.PICKER, What.DNS_TCP): "names with long answers do not resolve",
}
_GATEWAY_INSIDE = {
    (Who.GATEWAY, What.DNS_UDP): "the gateway's proxy does not find istiod after its next start",
    (Who.GATEWAY, What.DNS_TCP): "names with long answers do not resolve",
    (Who.GATEWAY, What.ISTIOD): "the gateway gets no configuration and no certificates",
    (Who.OUTSIDE, What.BALANCER): "nobody reaches the service",
    (Who.OUTSIDE, What.BALANCER_TLS): "nobody reaches the service over TLS",
    (Who.OUTSIDE, What.GATE_HEALTH): "load balancers take the gateway for dead",
}
_MONITORED = {
    (Who.MONITORING, What.SERVER): "dashboards of the servers are empty",
    (Who.MONITORING, What.METRICS): "dashboards of the picker are empty",
    (Who.MONITORING, What.AGENT): "dashboards of the mesh are empty",
    (Who.MONITORING, What.ENVOY): "dashboards of the mesh are empty",
}
_MONITORED_GATEWAY = {
    (Who.MONITORING, What.GATE_AGENT): "dashboards of the gateway are empty",
    (Who.MONITORING, What.GATE_ENVOY): "dashboards of the gateway are empty",
}
_PROBES = "its kubelet's probes fail: a pod's own node is always let through"
_ISOLATED = frozenset({Who.GATEWAY, Who.PICKER, Who.SERVER, Who.STRANGER})


@dataclass(frozen=True)
class Shape:
    """What of a service and its profile decides about cells.

    Attributes:
        picker: there is an endpoint picker.
        sidecars: the servers have sidecars.
        gateway_inside: the gateway is in the service's namespace, so that its policies are about the gateway, too.
        monitored: the row `monitoring` is the promised Prometheus, and not a namespace that is called so.
        scraped_at_agent: the picker reads the servers' metrics from their sidecar's agent, as it has to with STRICT
            mutual TLS, and not from the servers themselves.
        internet: servers download their model from anywhere.
        server_downloads, picker_downloads: from the hub.
    """

    picker: bool = True
    sidecars: bool = True
    gateway_inside: bool = True
    monitored: bool = False
    scraped_at_agent: bool = False
    internet: bool = False
    server_downloads: bool = False
    picker_downloads: bool = False


@dataclass(frozen=True)
class Promised:
    """What is promised of a cell.

    Attributes:
        open: whether connections come through.
        why: what happens otherwise.
    """

    open: bool
    why: str


def promised(shape: Shape, cell: Cell) -> Promised | None:
    """What a profile with `isolation: default-deny` promises of a cell; None where nothing is promised."""
    who, what = cell
    if what in (What.BALANCER, What.BALANCER_TLS) and who is not Who.OUTSIDE:
        return None  # pods have other ways
    if what in OF_GATEWAY and not shape.gateway_inside:
        return None
    if what is What.GATE_HEALTH and who not in (*_ISOLATED, Who.NODE, Who.OUTSIDE):
        return None  # a load balancer has any address
    if what in OUTWARDS and (who not in _ISOLATED or (who is Who.GATEWAY and not shape.gateway_inside)):
        return None  # their namespaces' policies are not the service's
    if (what in SIDECAR and not shape.sidecars) or (not shape.picker and what in OF_PICKER):
        return None
    if who is Who.NODE:
        return Promised(True, _PROBES)
    if (why := _needed(shape).get(cell)) is not None:
        return Promised(True, why)
    return Promised(False, _harm(who, what))


def cells(shape: Shape) -> list[Cell]:
    """All cells of which something is promised, in their order."""
    return [(who, what) for who in Who for what in What if promised(shape, (who, what)) is not None]


def _needed(shape: Shape) -> dict[Cell, str]:
    found = dict(_ALWAYS)
    found |= _WITH_PICKER if shape.picker else {}
    scraped = (Who.PICKER, What.AGENT if shape.scraped_at_agent else What.SERVER)
    found |= {scraped: "the picker sees no metrics and picks blindly"} if shape.picker else {}
    found |= _GATEWAY_INSIDE if shape.gateway_inside else {}
    found |= _MONITORED if shape.monitored else {}
    found |= {(Who.SERVER, What.ISTIOD): "sidecars get no configuration and no certificates"} if shape.sidecars else {}
    found |= _MONITORED_GATEWAY if shape.gateway_inside and shape.monitored else {}
    lost = "the next download fails: what runs goes on, and the next restart does not"
    found |= {(Who.SERVER, What.HUB): lost} if shape.server_downloads else {}
    found |= {(Who.PICKER, What.HUB): lost} if shape.picker_downloads else {}
    found |= {(Who.SERVER, What.INTERNET): lost} if shape.internet else {}
    return found


def _harm(who: Who, what: What) -> str:
    if what is What.METADATA:
        return "whoever takes over the pod has the node's credentials"
    if what is What.INTERNET:
        return "whoever takes over the pod carries out what it sees: prompts, answers, weights"
    if what in (What.API, What.ISTIOD, What.HUB, *OF_TENANT, *OTHERS):
        return "whoever takes over the pod goes on from there"
    if what in (What.DNS_UDP, What.DNS_TCP):
        return "names carry data out"
    if what is What.STRANGER:
        return "whatever comes to the namespace tomorrow is open to everybody"
    asks = "the model answers" if what is What.SERVER else "it is reached"
    return f"{asks} past the gateway, its limits and its log ({who})"
