"""Sources on the local cluster: inside of pods' and nodes' own networks, and this machine, which is outside of it."""

from collections.abc import Callable, Iterator
from functools import partial

from tools.netpolicy.flows import members
from tools.netpolicy.reading import Found
from tools.netpolicy.world import PodEnd
from tools.probe.verdict import ProbeFailed
from tools.reach.cells import Who
from tools.reach.elsewhere import Sources
from tools.reach.netns import Networks
from tools.reach.source import Source
from tools.reach.surroundings import pod_of
from tools.reach.targets import Around


def all_inside(networks: Networks, around: Around) -> Sources:
    """All that there are; what is down is told."""
    found = Sources()
    for key, make in _inside(networks, around):
        try:
            found.found[key] = make()
        except (ProbeFailed, LookupError) as error:
            found.failed.append(f"{key[0]}: {error}")
    return found


def prometheus(found: Found) -> PodEnd | None:
    """A Prometheus, if there is one."""
    ends = [end for each in found.facts.monitoring for end in members(found.world, each)]
    return ends[0] if ends else None


def _inside(networks: Networks, around: Around) -> Iterator[tuple[tuple[Who, str], Callable[[], Source]]]:
    monitoring = prometheus(Found(around.world, around.facts))
    chosen = around.own | ({Who.MONITORING: pod_of(around.world, monitoring)} if monitoring else {})
    for who, pod in chosen.items():
        yield (who, ""), partial(networks.of_pod, pod)
    asked = [*around.own.values(), *([around.stranger[0]] if around.stranger else [])]
    for node in sorted({each["spec"]["nodeName"] for each in asked}):
        yield (Who.NODE, node), partial(networks.of_node, node)
    yield (Who.OUTSIDE, ""), networks.outside
