"""KServe's controller kept from one namespace: it would put back within a second what a fault changes there.

An admission policy refuses its writes in that namespace, so that its other services go on being reconciled; scaling the
controller to nothing would reach the whole cluster, and takes longer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tools.explain import Violation
from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import (
    ADMISSION_BINDING,
    ADMISSION_POLICY,
    CONFIG_MAP,
    DEPLOYMENT,
    LLM_SERVICE,
    NAMESPACE,
)
from tools.kube.labels import PREFIX, of_run
from tools.kube.llm_service import LlmService
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

# A name that nothing else has: the refusal of this object shows that the policy is in force.
_PROBE = "llmisvc-conformance-hold"
_NUDGE = f"{PREFIX}/nudged"


@contextmanager
def controller_held(service: LlmService) -> Iterator[None]:
    """The controller's writes in the service's namespace refused, proved by a refused dry run; then let go again."""
    kube, namespace = service.kube, service.namespace
    deployment = kube.get(DEPLOYMENT, service.controller.name, service.controller.namespace)
    account = deployment["spec"]["template"]["spec"]["serviceAccountName"]
    user = f"system:serviceaccount:{service.controller.namespace}:{account}"
    labels = of_run(kube.get(NAMESPACE, namespace))
    try:
        for document in (_policy(namespace, user, labels), _binding(namespace, labels)):
            kube.apply(document)
        _until(kube, namespace, refused=True)
        yield
    finally:
        kube.delete(ADMISSION_BINDING, _name(namespace))
        kube.delete(ADMISSION_POLICY, _name(namespace))
        _until(kube, namespace, refused=False)
        # Its last attempts failed and wait longer and longer for the next; a change makes it look at once.
        nudge = {"metadata": {"annotations": {_NUDGE: datetime.now(UTC).isoformat()}}}
        if kube.find(LLM_SERVICE, service.name, namespace) is not None:
            kube.patch(LLM_SERVICE, service.name, namespace, nudge)


def _until(kube: Kube, namespace: str, *, refused: bool) -> None:
    wanted = "refused" if refused else "taken"

    def shows() -> None:
        found = "refused" if _is_refused(kube, namespace) else "taken"
        if found != wanted:
            raise Violation(f"the controller's writes in {namespace} to be {wanted}", f"they are {found}")

    what = f"the controller's writes in {namespace} to be {wanted}"
    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=1)


def _is_refused(kube: Kube, namespace: str) -> bool:
    probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _PROBE, "namespace": namespace}}
    try:
        kube.request("POST", CONFIG_MAP.path(namespace=namespace), {"dryRun": "All"}, probe)
    except KubeError as error:
        if _PROBE in error.message and error.status in (403, 422):
            return True
        raise
    return False


def _name(namespace: str) -> str:
    return f"llmisvc-conformance-hold-{namespace}"


def _policy(namespace: str, user: str, labels: dict[str, str]) -> Object:
    everything = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "resources": ["*/*"],
        # A namespace selector lets objects without a namespace through to the policy: the controller's writes for other
        # services among them (its ClusterRoleBinding for each picker).
        "scope": "Namespaced",
    }
    return {
        "apiVersion": ADMISSION_POLICY.api,
        "kind": ADMISSION_POLICY.kind,
        "metadata": {"name": _name(namespace), "labels": labels},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [everything]},
            "validations": [
                {
                    "expression": f"request.userInfo.username != '{user}' && request.name != '{_PROBE}'",
                    "message": f"held by the policy {_name(namespace)} ({_PROBE})",
                }
            ],
        },
    }


def _binding(namespace: str, labels: dict[str, str]) -> Object:
    return {
        "apiVersion": ADMISSION_BINDING.api,
        "kind": ADMISSION_BINDING.kind,
        "metadata": {"name": _name(namespace), "labels": labels},
        "spec": {
            "policyName": _name(namespace),
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
        },
    }
