"""Rules of one's own taken away from services that a case makes, while it makes them."""

from collections.abc import Iterator

from tools.explain import Violation
from tools.faults.fault import Scope, fault
from tools.kube.client import Object
from tools.kube.kinds import LLM_SERVICE, MUTATING_BINDING, MUTATING_POLICY, NAMESPACE
from tools.kube.labels import RUN, made_for
from tools.kube.llm_service import LlmService
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_PATH = "/spec/router/route/http"


@fault(scope=Scope.CLUSTER)
def own_rules_dropped(service: LlmService) -> Iterator[None]:
    """In the run's namespaces new services lose the rules that they state themselves, and get KServe's names."""
    kube = service.kube
    labels = made_for(kube.get(NAMESPACE, service.namespace), "own_rules_dropped")
    name = f"llmisvc-conformance-rules-{service.namespace}"
    try:
        for document in (_policy(name, labels), _binding(name, labels)):
            kube.apply(document)
        _until(service, dropped=True)
        yield
    finally:
        kube.delete(MUTATING_BINDING, name)
        kube.delete(MUTATING_POLICY, name)
        _until(service, dropped=False)


def _until(service: LlmService, *, dropped: bool) -> None:
    """Wait until a dry run shows that rules are dropped, or kept."""
    what = f"rules of services' own to be {'dropped' if dropped else 'kept'}"
    probe = service.read()
    document: Object = {
        "apiVersion": LLM_SERVICE.api,
        "kind": LLM_SERVICE.kind,
        "metadata": {"name": "llmisvc-conformance-rules", "namespace": service.namespace},
        "spec": {**probe["spec"], "router": {**probe["spec"]["router"], "route": {"http": {"spec": {"rules": [{}]}}}}},
    }

    def shows() -> None:
        path = LLM_SERVICE.path(namespace=service.namespace)
        made = service.kube.request("POST", path, {"dryRun": "All"}, document)
        found = "http" not in made["spec"]["router"]["route"]
        if found != dropped:
            raise Violation(what, "they are not")

    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=1)


def _policy(name: str, labels: dict[str, str]) -> Object:
    group, _, version = LLM_SERVICE.api.partition("/")
    rule = {
        "apiGroups": [group],
        "apiVersions": [version],
        "operations": ["CREATE"],
        "resources": [LLM_SERVICE.plural],
    }
    has = "has(object.spec.router) && has(object.spec.router.route) && has(object.spec.router.route.http)"
    removal = f'[JSONPatch{{op: "remove", path: "{_PATH}"}}]'
    return {
        "apiVersion": MUTATING_POLICY.api,
        "kind": MUTATING_POLICY.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "has-rules", "expression": has}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": removal}}],
        },
    }


def _binding(name: str, labels: dict[str, str]) -> Object:
    """In force where the run's label is, and nowhere else."""
    return {
        "apiVersion": MUTATING_BINDING.api,
        "kind": MUTATING_BINDING.kind,
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "policyName": name,
            "matchResources": {"namespaceSelector": {"matchLabels": {RUN: labels[RUN]}}},
        },
    }
