"""What the run may do, decided from its options and the user's rights, as findings that requirements refer to. Pure."""

from collections.abc import Iterable, Mapping

from tools.cases import capabilities
from tools.cases.requirement import Finding, Requirement
from tools.cluster.rules import Disruption, Grant, permitted
from tools.kube.access import Access, Permissions, missing
from tools.kube.rights import Mode, Places

# Modes in which HTTP requests go to the service; in the first, objects are made for it as well.
_SENDING = (Mode.DEPLOY, Mode.PROBES, Mode.TRAFFIC)


def findings(mode: Mode, grant: Grant, places: Places, permissions: Permissions | None) -> Mapping[str, Finding]:
    """Every capability by name.

    Args:
        mode: what the run does to the cluster.
        grant: what decides about disruption.
        places: namespaces that it has to do with.
        permissions: of the user; None where the cluster is ours, with every right.
    """
    sends = Finding(mode in _SENDING, "--traffic, or a run that deploys", f"a run that is {mode}")
    deploys = Finding(mode is Mode.DEPLOY, "a service that this run deploys", "an audited service (--target)")
    forward = [Access(verb, "pods", "", places.service, "portforward") for verb in ("get", "create")]
    at_istio = [Access(verb, "pods", "", places.istio, "portforward") for verb in ("get", "create")]
    found = {
        capabilities.TRAFFIC: sends,
        capabilities.FORWARD: _first(sends, _allowed(permissions, forward)),
        capabilities.NODES: _allowed(permissions, [Access(verb, "nodes") for verb in ("get", "list")]),
        capabilities.ISTIOD: _first(sends, _allowed(permissions, at_istio)),
        capabilities.PICKER_METRICS: _named(deploys, "an account that may read /metrics of the picker"),
        capabilities.EXCLUSIVE: _named(deploys, "a service that nobody else uses, or its counters prove nothing"),
        capabilities.DEPLOY: deploys,
        capabilities.DISRUPT_SERVICE: permitted(Disruption.SERVICE, grant),
        capabilities.DISRUPT_CLUSTER: permitted(Disruption.CLUSTER, grant),
    }
    return {requirement.name: finding for requirement, finding in found.items()}


def of(requirement: Requirement, found: Mapping[str, Finding]) -> Finding:
    """The finding about a capability."""
    return found[requirement.name]


def _first(*found: Finding) -> Finding:
    """The first that is not met, or the last."""
    return next((each for each in found if not each.ok), found[-1])


def _named(found: Finding, need: str) -> Finding:
    return Finding(found.ok, need, found.have)


def _allowed(permissions: Permissions | None, wanted: Iterable[Access]) -> Finding:
    kept = list(wanted)
    words = missing(kept).strip()
    if permissions is None:
        return Finding(True, f"the rights {words}", "a cluster of our own")
    lacking = permissions.lacking(kept)
    have = f"{permissions.user or 'this user'} lacks {missing(lacking).strip()}" if lacking else "they are granted"
    return Finding(not lacking, f"the rights {words}", have)
