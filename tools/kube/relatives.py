"""The family of one service, read from the cluster."""

from tools.kube.client import Kube, Object
from tools.kube.errors import NotFound
from tools.kube.family import Child, family
from tools.kube.kinds import OLD_POOL, Kind
from tools.kube.likeness import differences, hands, normalised
from tools.kube.llm_service import PART_OF, LlmService

# As field managers know them: KServe's program, Istio's, Kubernetes' own.
_CONTROLLERS = ("manager", "pilot-discovery", "kube-controller-manager")
# What a throwaway has otherwise than the service that it is a copy of.
_OF_TWINS = {"workload": ("spec.replicas",)}


def expected(service: LlmService, found: Object | None = None) -> list[Child]:
    """The children that a service must have as it is specified now, on this cluster."""
    spec = (found or service.read())["spec"]
    made = family(service.name, service.namespace, spec)
    return [each for each in made if each.kind != OLD_POOL or is_served(service.kube, OLD_POOL, service.namespace)]


def find(kube: Kube, child: Child) -> Object | None:
    """A child, if it is there."""
    found = kube.find(child.kind, child.name, child.namespace)
    # Values of a Secret go no further than this.
    return _without_values(found) if found else None


def labelled(service: LlmService, kind: Kind) -> set[str]:
    """Names of all objects of a kind in the service's namespace that carry the labels of its children."""
    labels = f"{PART_OF},app.kubernetes.io/name={service.name}"
    return {each["metadata"]["name"] for each in service.kube.objects(kind, service.namespace, labels=labels)}


def is_served(kube: Kube, kind: Kind, namespace: str) -> bool:
    """Whether the cluster has a kind at all."""
    try:
        kube.objects(kind, namespace)
    except NotFound:
        return False
    return True


def portrait(service: LlmService, children: list[Child], *, whole: bool = False) -> dict[str, Object | None]:
    """What of each child is the same for every service that is specified the same, by part.

    Args:
        service: whose.
        children: of it.
        whole: whether to keep what a throwaway has otherwise, which counts where a service is compared with itself.
    """
    found = {each.part: find(service.kube, each) for each in children}
    return {
        part: normalised(each, service.namespace, without=() if whole else _OF_TWINS.get(part, ())) if each else None
        for part, each in found.items()
    }


def specified(service: LlmService) -> Object:
    """The specification of a service, as far as a throwaway has the same."""
    found: Object = normalised(service.read(), service.namespace, without=["spec.replicas"])["spec"]
    return found


def unlike(wanted: dict[str, Object | None], found: dict[str, Object | None]) -> list[str]:
    """Differences of two portraits, one line each, with part and path."""
    lines = []
    for part in [*wanted, *(each for each in found if each not in wanted)]:
        one, other = wanted.get(part), found.get(part)
        if one is None or other is None:
            lines += [] if one is other else [f"{part}: it is {'not there' if other is None else 'there, unexpected'}"]
        else:
            lines += [f"{part}: {line}" for line in differences(one, other)]
    return lines


def hands_on(service: LlmService, children: list[Child], lines: list[str]) -> str:
    """Who has written the children that some lines of `unlike` are about, besides the controller."""
    parts = {line.partition(":")[0] for line in lines}
    found = [(each, find(service.kube, each)) for each in children if each.part in parts]
    told = [f"{each}: {hand}" for each, it in found if it is not None for hand in hands(it, _CONTROLLERS)]
    return f"written by {'; '.join(told)}. " if told else ""


def _without_values(found: Object) -> Object:
    return (
        found | {"data": dict.fromkeys(found["data"], "")} if found["kind"] == "Secret" and "data" in found else found
    )
