"""The API server refuses what cannot work, each with its words, and takes the right form that stands next to it."""

import re
from collections.abc import Callable

import pytest

from tools.cases.capabilities import CONTROLLERS, DEPLOY
from tools.explain import bullets, check
from tools.faults import admission as faults
from tools.features.version import tag
from tools.kube.errors import KubeError
from tools.kube.kinds import DEPLOYMENT, LLM_SERVICE, VALIDATING_WEBHOOK
from tools.kube.llm_service import LlmService
from tools.manifests import Document, admission
from tools.manifests.admission import Fields
from tools.manifests.admission_rules import of_topic

_MAY = [DEPLOY, CONTROLLERS]
_NAME = "judged"
# Who has the right may be refused all the same, with the same status.
_ADMISSION = re.compile("admission webhook|ValidatingAdmissionPolicy")
# Given fields of a specification: refused with these words, or taken with these warnings.
Judge = Callable[[Fields], tuple[str, list[str]]]


@pytest.mark.conformance(
    name="reconcile-admission-judges-routers",
    level="core",
    requires=_MAY,
    fault=[
        faults.validation_narrowed.shows("routes by reference and in place at once: it is taken"),
        faults.creations_refused.shows("the right form is refused", "llmisvc-conformance-denial"),
    ],
    checks=["route", "pool"],
)
def test_routers(service: LlmService) -> None:
    """Routes, Gateways and pools that contradict each other are refused, with words that say so."""
    _hold_rules(service, "router", _creations(service))


@pytest.mark.conformance(
    name="reconcile-admission-judges-workloads",
    level="core",
    requires=_MAY,
    fault=[
        faults.validation_narrowed.shows("workers without parallelism: it is taken"),
        faults.schema_loosened.shows("fewer than no replicas: it is taken"),
    ],
)
def test_workloads(service: LlmService) -> None:
    """Replicas, workers and parallelism that cannot be are refused, with words that say so."""
    _hold_rules(service, "workload", _creations(service))


@pytest.mark.conformance(
    name="reconcile-admission-judges-schedulers",
    level="core",
    requires=_MAY,
    fault=faults.validation_narrowed.shows("a configuration that is none: it is taken"),
    checks=["picker"],
)
def test_schedulers(service: LlmService) -> None:
    """A scheduler without replicas, and configurations of it that are none or two, are refused."""
    _hold_rules(service, "scheduler", _creations(service))


@pytest.mark.conformance(
    name="reconcile-admission-judges-adapters",
    level="core",
    requires=_MAY,
    fault=faults.validation_narrowed.shows("two adapters of one name: it is taken"),
)
def test_adapters(service: LlmService) -> None:
    """LoRA adapters without a name of their own are refused: nobody could ask for them."""
    _hold_rules(service, "adapters", _creations(service))


@pytest.mark.conformance(
    name="reconcile-admission-judges-scaling",
    level="core",
    requires=_MAY,
    fault=[
        faults.validation_narrowed.shows("another actuator for the prefill: it is taken"),
        faults.scaling_loosened.shows("scaling to nothing by minReplicas: it is taken"),
    ],
)
def test_scaling(service: LlmService) -> None:
    """Contradictions of replicas, bounds and actuators are refused; scaling to nothing as this version has it."""
    _hold_rules(service, "scaling", _creations(service))


@pytest.mark.conformance(
    name="reconcile-admission-judges-changes",
    level="core",
    requires=_MAY,
    fault=faults.validation_narrowed.shows("another size of the whole: it is taken"),
)
def test_changes(service: LlmService) -> None:
    """The size of a running service over all its ranks cannot be changed; tensor parallelism can."""

    def change(fields: Fields) -> tuple[str, list[str]]:
        return _words(lambda: service.kube.judge_change(LLM_SERVICE, service.name, service.namespace, {"spec": fields}))

    _hold_rules(service, "change", change)


@pytest.mark.conformance(
    name="reconcile-admission-judges-configurations",
    level="core",
    requires=_MAY,
    fault=faults.validation_narrowed.shows("a configuration of configurations: it is taken"),
)
def test_configurations(service: LlmService) -> None:
    """Configurations that refer to others, or whose templates cannot be filled in, are refused before they are used."""
    _hold_rules(service, "configuration", _creations(service, admission.config))


def _creations(service: LlmService, make: Callable[[Fields, str, str], Document] = admission.service) -> Judge:
    return lambda fields: _words(lambda: service.kube.judge(make(fields, _NAME, service.namespace)))


def _words(judge: Callable[[], list[str] | None]) -> tuple[str, list[str]]:
    try:
        return "", judge() or []
    except KubeError as error:
        if error.status in (0, 401, 404) or (error.status == 403 and not _ADMISSION.search(error.message)):
            raise
        return error.message, []


def _hold_rules(service: LlmService, topic: str, judge: Judge) -> None:
    """Each rule of a topic: what is wrong is refused with its words, what is right is taken."""
    version = _version(service)
    rules = list(of_topic(topic, version))
    lines = []
    for rule in rules:
        refusal, _ = judge(rule.wrong)
        if not refusal:
            lines.append(f"{rule.what}: it is taken")
        elif not any(words in refusal for words in rule.says):
            lines.append(f"{rule.what}: it is refused without the words {rule.says[0]!r}: {refusal[-300:]}")
        refusal, warnings = judge(rule.right)
        if refusal:
            lines.append(f"{rule.what}: the right form is refused: {refusal[-300:]}")
        elif bool(warnings) != rule.warns:
            lines.append(
                f"{rule.what}: the right form has the warnings {warnings}, {'some' if rule.warns else 'none'} wanted"
            )
    check(
        not lines,
        f"{len(rules)} wrong forms to be refused with their reasons (KServe {version or '?'}), right forms to be taken",
        bullets(lines),
        cause="KServe's validating webhook is not asked for these objects, its CRD is another version's, or a policy of"
        " the cluster forbids services",
        next_step=service.kube.kubectl("get", VALIDATING_WEBHOOK.resource, "-o", "yaml"),
    )


def _version(service: LlmService) -> str:
    """KServe's, by its controller's image; the rules differ by it."""
    place = service.controller
    found = service.kube.get(DEPLOYMENT, place.name, place.namespace)
    return tag(found["spec"]["template"]["spec"]["containers"][0]["image"])
