"""Where connections come from on a cluster that is not this machine's: pods, and this machine from outside."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.kube.client import Kube, Object
from tools.kube.convergence import NotConverged
from tools.kube.doors import Door, Outside, outside_of
from tools.kube.errors import KubeError
from tools.reach.cells import Who
from tools.reach.ephemeral import inside
from tools.reach.here import here
from tools.reach.lookalike import lookalikes, refused
from tools.reach.source import Source
from tools.reach.targets import Around

# The same address on every cloud that has one.
_METADATA = Door("169.254.169.254", 80)
_INSIDE = (Who.GATEWAY, Who.PICKER, Who.SERVER)
_NOT_OUTSIDE = "this process runs in a pod, which is not outside of its cluster"
_ASK = "--allow-ephemeral connects from inside of the pod itself"


@dataclass(frozen=True)
class Allowed:
    """What may be done on a cluster that is not this machine's own.

    Attributes:
        owned: pods may be made in the service's namespace, because the run has made it.
        ephemeral: pods that are there get an ephemeral container.
        external: an address on the internet that is connected to, and the cloud's metadata server with it; None leaves
            both alone.
    """

    owned: bool = True
    ephemeral: bool = False
    external: Door | None = None


@dataclass
class Sources:
    """Where connections come from, by who that is, those on nodes by node as well.

    Attributes:
        found: the sources.
        cannot: who cannot be had on a cluster like this one, and why.
        failed: what should have been had, one line each.
    """

    found: dict[tuple[Who, str], Source] = field(default_factory=dict)
    cannot: dict[Who, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def doors(kube: Kube, allowed: Allowed) -> Outside:
    """What outside of the cluster may be connected to: what it tells of itself, or what the user names."""
    told = outside_of(kube)
    if told.internet is None and allowed.external is not None:
        return Outside(allowed.external, _METADATA, told.silent)
    return told


@contextmanager
def sources(kube: Kube, allowed: Allowed, around: Around, prober: Object) -> Iterator[Sources]:
    """All that can be had beside the probers, while entered.

    Args:
        kube: the cluster.
        allowed: by the user.
        around: the service and what is around it.
        prober: a prober pod, whose image and run others have.
    """
    found = Sources()
    _outside(found, around)
    there = around.own
    if allowed.ephemeral:
        _enter(found, kube, there, prober)
        found.cannot |= {} if allowed.owned else {Who.STRANGER: "no pod is made in the namespace of an audited service"}
        yield found
        return
    if not allowed.owned:
        why = f"no pod is made in the namespace of an audited service; {_ASK}"
        found.cannot |= dict.fromkeys((*_INSIDE, Who.STRANGER), why)
        yield found
        return
    for who, pod in around.own.items():
        if pod["metadata"]["namespace"] != around.facts.namespace:
            found.cannot[who] = f"it is in a namespace that is not the run's; {_ASK}"
            del there[who]
    for who, services in refused(kube, there).items():
        found.failed.append(f"{who}: a look-alike would be sent requests by {services}, and is not made; {_ASK}")
        del there[who]
    with lookalikes(kube, prober, there) as alike:
        found.found |= {(who, ""): source for who, source in alike.items()}
        yield found


def _enter(found: Sources, kube: Kube, there: Mapping[Who, Object], prober: Object) -> None:
    image = prober["spec"]["containers"][0]["image"]
    for who, pod in there.items():
        try:
            found.found |= {(each, ""): source for each, source in inside(kube, image, {who: pod}).items()}
        except (KubeError, NotConverged) as error:
            found.failed.append(f"{who}: no ephemeral container: {' '.join(str(error).split())}")


def _outside(found: Sources, around: Around) -> None:
    machine = here(around.balancer) if around.balancer else None
    if machine is not None:
        found.found[Who.OUTSIDE, ""] = machine
    elif around.balancer:
        found.cannot[Who.OUTSIDE] = _NOT_OUTSIDE
    else:
        found.failed.append("outside: the Gateway has no address")
