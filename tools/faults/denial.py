"""Requests refused, or warned about, in the run's own namespaces by an admission policy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tools.explain import Violation
from tools.faults.common import fault_labels
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.kinds import ADMISSION_BINDING, ADMISSION_POLICY, CONFIG_MAP, DEPLOYMENT, LLM_SERVICE, NAMESPACE
from tools.kube.labels import PREFIX, RUN
from tools.kube.llm_service import LlmService
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_NUDGE = f"{PREFIX}/nudged"


@dataclass(frozen=True)
class Denial:
    """What is refused.

    Attributes:
        fault: name of the fault. Policy, and the ConfigMap whose refusal shows that it is in force, are called after
            it, so that one denial inside another can be seen to begin and to end.
        resources: groups and names, for example `("apps", "deployments")`, with subresources `("*", "*/*")`.
        operations: for example `CREATE`.
        expression: CEL that is true for what is let through.
        warns: whether it is only warned about.
    """

    fault: str
    resources: Sequence[tuple[str, str]]
    operations: Sequence[str]
    expression: str
    warns: bool = False


def not_by_controller(service: LlmService) -> str:
    """CEL: the request is not one of KServe's controller."""
    place = service.controller
    spec = service.kube.get(DEPLOYMENT, place.name, place.namespace)["spec"]["template"]["spec"]
    return f"request.userInfo.username != 'system:serviceaccount:{place.namespace}:{spec['serviceAccountName']}'"


@contextmanager
def denied(service: LlmService, denial: Denial) -> Iterator[None]:
    """Refuse it in every namespace that carries the label of the service's run, and nowhere else, while entered.

    Objects without a namespace are not told by their namespaces' labels: an expression has to tell them.
    """
    kube = service.kube
    labels = fault_labels(service, denial.fault)
    name = f"{PREFIX}-denial-{denial.fault.replace('_', '-')}-{service.namespace}"
    try:
        kube.apply(_policy(name, denial, labels))
        kube.apply(_binding(name, denial, labels))
        _until(service, name, "refused" if not denial.warns else "warned about")
        yield
    finally:
        kube.delete(ADMISSION_BINDING, name)
        kube.delete(ADMISSION_POLICY, name)
        _until(service, name, "taken")


def nudge(service: LlmService) -> None:
    """Have the controller look at all services of the run at once; after failures it waits longer and longer."""
    kube = service.kube
    run = kube.get(NAMESPACE, service.namespace)["metadata"]["labels"][RUN]
    for namespace in kube.objects(NAMESPACE, labels=f"{RUN}={run}"):
        for each in kube.objects(LLM_SERVICE, namespace["metadata"]["name"]):
            meta = each["metadata"]
            stamp = {"metadata": {"annotations": {_NUDGE: str(meta["resourceVersion"])}}}
            # It may go meanwhile.
            with suppress(KubeError):
                kube.patch(LLM_SERVICE, meta["name"], meta["namespace"], stamp)


def _until(service: LlmService, name: str, wanted: str) -> None:
    what = f"what the policy {name} forbids to be {wanted}"

    def shows() -> None:
        if (found := _answer(service, name)) != wanted:
            raise Violation(what, f"it is {found}")

    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=2)


def _answer(service: LlmService, name: str) -> str:
    probe = {
        "apiVersion": CONFIG_MAP.api,
        "kind": CONFIG_MAP.kind,
        "metadata": {"name": name, "namespace": service.namespace},
    }
    try:
        return "warned about" if any(_words(name) in each for each in service.kube.judge(probe)) else "taken"
    except KubeError as error:
        if _words(name) in error.message and error.status in (403, 422):
            return "refused"
        raise


def _words(name: str) -> str:
    """The policy's own words; the API server's quote every policy by name and cannot tell which of two refused."""
    return f"forbidden by the policy {name}."


def _policy(name: str, denial: Denial, labels: dict[str, str]) -> Object:
    wanted = [_rule(each, denial.operations) for each in denial.resources]
    probe = "request.resource.resource == 'configmaps' && request.name == '" + name + "'"
    return {
        "apiVersion": ADMISSION_POLICY.api,
        "kind": ADMISSION_POLICY.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [*wanted, _rule(("", "configmaps"), ["CREATE"])]},
            "validations": [
                {
                    "expression": f"!({probe}) && (request.resource.resource == 'configmaps' || ({denial.expression}))",
                    "message": _words(name),
                }
            ],
        },
    }


def _rule(resource: tuple[str, str], operations: Sequence[str]) -> Object:
    group, plural = resource
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": list(operations),
        "resources": [plural],
        "scope": "*",
    }


def _binding(name: str, denial: Denial, labels: dict[str, str]) -> Object:
    return {
        "apiVersion": ADMISSION_BINDING.api,
        "kind": ADMISSION_BINDING.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "policyName": name,
            "validationActions": ["Warn" if denial.warns else "Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {RUN: labels[RUN]}}},
        },
    }
