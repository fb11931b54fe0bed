"""Somebody else's finalizer on every service of the run."""

from collections.abc import Iterator

from tools.explain import Violation
from tools.faults.common import fault_labels
from tools.faults.fault import Scope, fault
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.kinds import LLM_SERVICE, NAMESPACE, Kind
from tools.kube.labels import RUN
from tools.kube.llm_service import LlmService
from tools.manifests import admission
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_FINALIZER = "example.com/kept"
_API = "admissionregistration.k8s.io/v1"
_POLICY = Kind(_API, "MutatingAdmissionPolicy", "mutatingadmissionpolicies", namespaced=False)
_BINDING = Kind(_API, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", namespaced=False)


@fault(scope=Scope.CLUSTER)
def finalizer_of_somebody(service: LlmService) -> Iterator[None]:
    """A backup or policy tool puts its finalizer on every service that is made in the run's namespaces."""
    kube = service.kube
    labels = fault_labels(service, "finalizer_of_somebody")
    name = f"llmisvc-conformance-finalizer-{service.namespace}"
    meta = {"name": name, "labels": labels}
    try:
        kube.apply({"apiVersion": _API, "kind": _POLICY.kind, "metadata": meta, "spec": _policy()})
        selector = {"namespaceSelector": {"matchLabels": {RUN: labels[RUN]}}}
        spec = {"policyName": name, "matchResources": selector}
        kube.apply({"apiVersion": _API, "kind": _BINDING.kind, "metadata": meta, "spec": spec})
        eventually("the finalizer to be put on", lambda: _is_put_on(service), budget=seconds("fault-effect"))
        yield
    finally:
        kube.delete(_BINDING, name)
        kube.delete(_POLICY, name)
        _take_off(service, labels[RUN])


def _policy() -> Object:
    rule = {
        "apiGroups": ["serving.kserve.io"],
        "apiVersions": ["*"],
        "operations": ["CREATE"],
        "resources": ["llminferenceservices"],
    }
    patch = f"Object{{metadata: Object.metadata{{finalizers: ['{_FINALIZER}']}}}}"
    return {
        "matchConstraints": {"resourceRules": [rule]},
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": patch}}],
    }


def _is_put_on(service: LlmService) -> None:
    document = admission.service({}, "held", service.namespace)
    path = LLM_SERVICE.path(namespace=service.namespace)
    found = service.kube.request("POST", path, {"dryRun": "All"}, document)
    if _FINALIZER not in found["metadata"].get("finalizers", []):
        raise Violation("the finalizer", "it is not put on")


def _take_off(service: LlmService, run: str) -> None:
    kube = service.kube
    for namespace in kube.objects(NAMESPACE, labels=f"{RUN}={run}"):
        for each in kube.objects(LLM_SERVICE, namespace["metadata"]["name"]):
            meta = each["metadata"]
            kept = [held for held in meta.get("finalizers", []) if held != _FINALIZER]
            if kept == meta.get("finalizers", []):
                continue
            try:
                kube.patch(LLM_SERVICE, meta["name"], meta["namespace"], {"metadata": {"finalizers": kept}})
            except KubeError as error:
                if error.status != 404:
                    raise
