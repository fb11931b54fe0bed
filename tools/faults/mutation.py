"""Objects changed as they are written, in the namespaces of one run: faults that reach services yet to be made."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tools.explain import Violation
from tools.kube.client import Kube, Object
from tools.kube.kinds import CONFIG_MAP, MUTATING_BINDING, MUTATING_POLICY, NAMESPACE, Kind
from tools.kube.labels import RUN, made_for
from tools.kube.llm_service import LlmService
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds


@dataclass(frozen=True)
class Mutation:
    """What is changed.

    Attributes:
        name: of the fault. Policy, and the ConfigMap whose change (a dry run) shows that it is in force, are called
            after it: one mutation inside another does not change, nor hide, the other's.
        kind: of the objects.
        when: CEL: which objects of the kind.
        patch: CEL: a list of JSONPatch.
    """

    name: str
    kind: Kind
    when: str
    patch: str


@contextmanager
def mutated(service: LlmService, mutation: Mutation) -> Iterator[None]:
    """Change what is written in the namespaces of the service's run, while entered; what is there stays as it is."""
    kube = service.kube
    labels = made_for(kube.get(NAMESPACE, service.namespace), mutation.name)
    name = f"llmisvc-conformance-{mutation.name.replace('_', '-')}-{labels.get(RUN, service.namespace)}"
    try:
        for document in _documents(name, mutation, labels):
            kube.apply(document)
        _until(kube, service.namespace, name, "true")
        yield
    finally:
        kube.delete(MUTATING_BINDING, name)
        kube.delete(MUTATING_POLICY, name)
        _until(kube, service.namespace, name, "")


def _until(kube: Kube, namespace: str, name: str, wanted: str) -> None:
    what = f"writes to be {'changed' if wanted else 'left alone'} by {name}"
    probe = {
        "apiVersion": CONFIG_MAP.api,
        "kind": CONFIG_MAP.kind,
        "metadata": {"name": name, "namespace": namespace},
    }

    def shows() -> None:
        made = kube.request("POST", CONFIG_MAP.path(namespace=namespace), {"dryRun": "All"}, probe)
        found = made["metadata"].get("labels", {}).get(_mark(name), "")
        if found != wanted:
            raise Violation(what, f"they are {'changed' if found else 'left alone'}")

    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=1)


def _documents(name: str, mutation: Mutation, labels: dict[str, str]) -> Sequence[Object]:
    group, _, version = mutation.kind.api.rpartition("/")
    rules = [_rule(group, version, mutation.kind.plural), _rule("", "v1", CONFIG_MAP.plural)]
    # One policy for both, or the probe would tell of another.
    marked = f'[JSONPatch{{op: "add", path: "/metadata/labels", value: {{"{_mark(name)}": "true"}}}}]'
    is_probe = f'object.kind == "ConfigMap" && object.metadata.name == "{name}"'
    policy: Object = {
        "apiVersion": MUTATING_POLICY.api,
        "kind": MUTATING_POLICY.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {"resourceRules": rules},
            "matchConditions": [
                {
                    "name": "chosen",
                    "expression": f'({is_probe}) || (object.kind == "{mutation.kind.kind}" && ({mutation.when}))',
                }
            ],
            "mutations": [
                {
                    "patchType": "JSONPatch",
                    "jsonPatch": {"expression": f"{is_probe} ? {marked} : {mutation.patch}"},
                }
            ],
        },
    }
    selector = {"matchLabels": {key: value for key, value in labels.items() if key == RUN}}
    binding: Object = {
        "apiVersion": MUTATING_BINDING.api,
        "kind": MUTATING_BINDING.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {"policyName": name, "matchResources": {"namespaceSelector": selector}},
    }
    return policy, binding


def _mark(name: str) -> str:
    """A label of the probe: names of policies are longer than those of labels may be."""
    return f"mutation-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _rule(group: str, version: str, resource: str) -> Object:
    return {
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": ["CREATE", "UPDATE"],
        "resources": [resource],
        "scope": "Namespaced",
    }
