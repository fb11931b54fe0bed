"""Writes of one user refused by an admission policy, proved by a refused dry run: whatever would put a fault right."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tools.explain import Violation
from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import ADMISSION_BINDING, ADMISSION_POLICY
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds


@dataclass(frozen=True)
class Refusal:
    """What is refused.

    Attributes:
        name: of the policy, and of the object whose refusal shows that it is in force. Each refusal has its own, so
            that one inside another can be seen to begin and to end.
        user: whose writes.
        resources: to which resources, subresources as `nodes/status`.
        namespace: in which namespace; empty for objects that have none. Without this line drawn, a namespace selector
            lets objects without a namespace through to the policy, and others' things are reached.
        probe: an object of one of the resources, which nobody makes.
        path: of its collection.
        labels: of policy and binding.
    """

    name: str
    user: str
    resources: Sequence[str]
    namespace: str
    probe: Object
    path: str
    labels: Mapping[str, str]


@contextmanager
def refused(kube: Kube, refusal: Refusal) -> Iterator[None]:
    """Refuse the writes while entered; returns, and ends, when the API server does as it should."""
    try:
        for document in (_policy(refusal), _binding(refusal)):
            kube.apply(document)
        _until(kube, refusal, "refused")
        yield
    finally:
        kube.delete(ADMISSION_BINDING, refusal.name)
        kube.delete(ADMISSION_POLICY, refusal.name)
        _until(kube, refusal, "taken")


def _until(kube: Kube, refusal: Refusal, wanted: str) -> None:
    what = f"writes of {refusal.user} to be {wanted}"

    def shows() -> None:
        found = _answer(kube, refusal)
        if found != wanted:
            raise Violation(what, f"they are {found}")

    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=1)


def _answer(kube: Kube, refusal: Refusal) -> str:
    probe = refusal.probe | {"metadata": {"name": refusal.name, **refusal.probe.get("metadata", {})}}
    try:
        kube.request("POST", refusal.path, {"dryRun": "All"}, probe)
    except KubeError as error:
        if _words(refusal) in error.message and error.status in (403, 422):
            return "refused"
        raise
    return "taken"


def _words(refusal: Refusal) -> str:
    """The policy's own words; the API server's quote every policy by name and cannot tell which of two refused."""
    return f"held by the policy {refusal.name}."


def _policy(refusal: Refusal) -> Object:
    rule = {
        "apiGroups": ["*"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "resources": list(refusal.resources),
        "scope": "Namespaced" if refusal.namespace else "Cluster",
    }
    return {
        "apiVersion": ADMISSION_POLICY.api,
        "kind": ADMISSION_POLICY.kind,
        "metadata": {"name": refusal.name, "labels": dict(refusal.labels)},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [
                {
                    "expression": f"request.userInfo.username != '{refusal.user}' && request.name != '{refusal.name}'",
                    "message": _words(refusal),
                }
            ],
        },
    }


def _binding(refusal: Refusal) -> Object:
    spec: Object = {"policyName": refusal.name, "validationActions": ["Deny"]}
    if refusal.namespace:
        selector = {"matchLabels": {"kubernetes.io/metadata.name": refusal.namespace}}
        spec["matchResources"] = {"namespaceSelector": selector}
    return {
        "apiVersion": ADMISSION_BINDING.api,
        "kind": ADMISSION_BINDING.kind,
        "metadata": {"name": refusal.name, "labels": dict(refusal.labels)},
        "spec": spec,
    }
