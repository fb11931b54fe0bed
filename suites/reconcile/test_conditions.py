"""The conditions are complete, about the service as it is now, and true: in both directions."""

import pytest

from tools.explain import bullets, check
from tools.faults import pool, routing, status, workload
from tools.faults import reconcile as faults
from tools.kube.conditions import conditions, stale
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import LlmService, expected_conditions, not_ready, source
from tools.kube.truth import Facts, lies, rolled_up_wrongly, slander
from tools.openai.client import Client

# Of services with workers, prefill or scaling, and of groups (KServe 0.20).
_OF_OTHER_SHAPES = (
    "WorkerWorkloadReady",
    "PrefillWorkloadReady",
    "PrefillWorkerWorkloadReady",
    "ScalingReady",
    "PrefillScalingReady",
    "GroupReady",
    "GroupDegraded",
    "OciImageVolumeCompatible",
)


@pytest.mark.conformance(
    name="reconcile-conditions-are-complete",
    level="core",
    fault=[
        status.ready_for_another_generation.shows("observedGeneration", "last change was never looked at"),
        faults.spec_edited.shows("the controller has seen generation"),
        status.conditions_lost.shows("InferencePoolReady is absent"),
        status.condition_of_its_own.shows("SomebodyIsHappy=True"),
    ],
    checks=["route", "pool"],
)
def test_are_complete(service: LlmService) -> None:
    """The service has the conditions that its specification calls for, no others, and all about its last change."""
    found = service.read()
    wanted = expected_conditions(found["spec"])
    others = [str(each) for name, each in conditions(found).items() if name not in {*wanted, *_OF_OTHER_SHAPES}]
    check(
        not (lines := [*not_ready(found), *stale(found), *others]),
        f"conditions {', '.join(wanted)}, all True, for generation {found['metadata']['generation']}, and no others",
        f"in {source(found)}: {bullets(list(dict.fromkeys(lines)))}",
        cause="the last change was never looked at (the controller does not run, or may not write), or another writes"
        " the status as well",
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml", "--show-managed-fields"),
    )


@pytest.mark.conformance(
    name="reconcile-conditions-are-true",
    level="core",
    fault=[
        workload.rollout_stuck.shows("MainWorkloadReady=True, but the servers' Deployment wants 1 replicas"),
        routing.route_deleted.shows("HTTPRoutesReady=True, but the HTTPRoute is not there"),
        pool.pool_without_picker.shows("InferencePoolReady=True, but InferencePool: ResolvedRefs=False"),
        pool.picker_stopped.shows("the picker's Deployment wants 0 replicas: nobody picks"),
        status.sum_without_parts.shows("Ready=True", "but WorkloadsReady=False"),
    ],
    checks=["route", "pool"],
)
def test_are_true(service: LlmService) -> None:
    """No condition is True that the objects speak against: rolled out, accepted, programmed, for their generation."""
    facts = _facts(service)
    lines = [*lies(facts), *rolled_up_wrongly(conditions(facts.service))]
    if (picker := facts.picker) is not None and not picker["spec"].get("replicas", 1):
        lines.append("SchedulerWorkloadReady=True, but the picker's Deployment wants 0 replicas: nobody picks")
    check(
        not lines,
        "every True condition to be borne out by the objects that it speaks of",
        f"in {source(facts.service)}: {bullets(lines)}",
        cause="the status is older than what happened since (does the controller run?); or it is KServe's own word:"
        " MainWorkloadReady is Available, and an old pod is available while its successor cannot start",
        next_step=service.kubectl("describe", LLM_SERVICE.resource, service.name),
    )


@pytest.mark.conformance(
    name="reconcile-not-ready-is-true",
    level="core",
    fault=status.waits_for_a_gateway.shows("status is wrong", "no outage", "WaitingForGateway"),
    checks=["route", "pool"],
)
def test_not_ready_is_true(service: LlmService, client: Client) -> None:
    """No condition is False while everything that it speaks of is well and requests are answered."""
    facts = _facts(service)
    wrong = slander(facts)
    if not wrong:
        return
    reply = client.complete()
    served = reply.status == 200
    check(
        False,
        "conditions that are False only where something is wrong",
        f"in {source(facts.service)}: {bullets(wrong)}; a completion is answered with {reply.status}",
        cause="the controller's status is wrong (a false negative), and this is no outage: requests are served"
        if served
        else "the controller looks at another Gateway or pool than the one that serves",
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="reconcile-presets-are-combined",
    level="core",
    fault=[
        workload.preset_missing.shows("PresetsCombined=False", "ConfigNotFound", "no-such-config"),
        faults.preset_shadowed.shows("kserve-config-llm-router-route of namespace llmisvc-", "in place of the preset"),
    ],
)
def test_presets_are_combined(service: LlmService) -> None:
    """The specification is combined with KServe's own presets and with what it names itself, and with nothing else."""
    found = service.read()
    combined = conditions(found).get("PresetsCombined")
    wrong = [] if combined is not None and combined.holds else [str(combined or "PresetsCombined is absent")]
    named = {each["name"] for each in found["spec"].get("baseRefs", [])}
    wrong += [
        f"it takes {each['name']} of namespace {each['namespace']}, in place of the preset of {system}"
        for system in [service.controller.namespace]
        for each in found.get("status", {}).get("appliedConfigs", [])
        if each["namespace"] != system and each["name"] not in named
    ]
    check(
        not wrong,
        "PresetsCombined to be True, of the presets in KServe's namespace and spec.baseRefs",
        f"in {source(found)}: {bullets(wrong)}",
        cause="a LLMInferenceServiceConfig is missing, cannot be merged, or has a preset's name; what runs meanwhile is"
        " of the generation before",
        next_step=service.kube.kubectl("get", "llminferenceserviceconfigs.serving.kserve.io", "-A"),
    )


def _facts(service: LlmService) -> Facts:
    kube, namespace = service.kube, service.namespace
    found = {part: kube.find(kind, name, namespace) for part, (kind, name) in service.children.items()}
    gateway = service.read_gateway()
    return Facts(
        service.read(), found["workload"], found["picker"], found["route"], found["pool"], gateway, str(service.gateway)
    )
