"""Conditions of a LLMInferenceService held against the objects that they speak of, both ways. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.kube.client import Object
from tools.kube.conditions import Condition, conditions, lacking, lacking_at_parent


@dataclass(frozen=True)
class Facts:
    """The objects that conditions speak of; None where one is not there.

    Attributes:
        service: the LLMInferenceService.
        workload, picker: Deployments.
        route, pool, gateway: of the service's traffic.
        at: the Gateway as `namespace/name`.
    """

    service: Object
    workload: Object | None
    picker: Object | None
    route: Object | None
    pool: Object | None
    gateway: Object | None
    at: str


def against(facts: Facts) -> Mapping[str, list[str]]:
    """What speaks against each condition, by its type, one line each; nothing where it should be True."""
    return {
        "MainWorkloadReady": not_rolled_out(facts.workload, "the servers' Deployment"),
        "SchedulerWorkloadReady": not_rolled_out(facts.picker, "the picker's Deployment", passive=True),
        "HTTPRoutesReady": _at_parent(facts.route, facts.at, "HTTPRoute"),
        "InferencePoolReady": _at_parent(facts.pool, facts.at, "InferencePool"),
        "GatewaysReady": _of_gateway(facts.gateway, facts.at),
    }


def lies(facts: Facts) -> list[str]:
    """Conditions that are True though the objects speak against them, one line each."""
    found, known = conditions(facts.service), against(facts)
    return [
        f"{name}=True, but {line}"
        for name, lines in known.items()
        if name in found and found[name].status == "True"
        for line in lines
    ]


def slander(facts: Facts) -> list[str]:
    """Conditions that are not True though nothing speaks against them, one line each."""
    found, known = conditions(facts.service), against(facts)
    return [
        f"{found[name]}, but nothing is wrong with what it speaks of"
        for name, lines in known.items()
        if name in found and found[name].status != "True" and not lines
    ]


def rolled_up_wrongly(found: Mapping[str, Condition]) -> list[str]:
    """Conditions that sum up others, and are not their sum."""
    parts = {
        "WorkloadsReady": [each for each in found if each.endswith("WorkloadReady") and each[:9] != "Scheduler"],
        "RouterReady": [
            each
            for each in ("GatewaysReady", "HTTPRoutesReady", "InferencePoolReady", "SchedulerWorkloadReady")
            if each in found
        ],
        "Ready": [each for each in ("WorkloadsReady", "RouterReady") if each in found],
    }
    return [
        f"{found[whole]}, but {', '.join(str(found[part]) for part in named if found[part].status == 'False')}"
        for whole, named in parts.items()
        if whole in found and found[whole].status == "True" and any(found[part].status == "False" for part in named)
    ]


def not_rolled_out(deployment: Object | None, what: str, *, passive: bool = False) -> list[str]:
    """What keeps a Deployment from being rolled out as it is now, one line each; `passive` replicas may wait."""
    if deployment is None:
        return [f"{what} is not there"]
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    observed, generation = status.get("observedGeneration"), deployment["metadata"]["generation"]
    if observed != generation:
        return [f"{what} is of generation {generation}, and its controller has seen {observed}"]
    counts = {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    # Of several pickers one is active, and the others are never available.
    least = counts | {"availableReplicas": wanted} if passive and wanted > 1 and counts["availableReplicas"] else counts
    return [] if set(least.values()) == {wanted} else [f"{what} wants {wanted} replicas and has {counts}"]


def _at_parent(found: Object | None, at: str, kind: str) -> list[str]:
    if found is None:
        return [f"the {kind} is not there"]
    return [f"{kind}: {line}" for line in lacking_at_parent(found, at, ["Accepted", "ResolvedRefs"])]


def _of_gateway(found: Object | None, at: str) -> list[str]:
    if found is None:
        return [f"Gateway {at} is not there"]
    return [f"Gateway {line}" for line in lacking(conditions(found), ["Accepted", "Programmed"])]
