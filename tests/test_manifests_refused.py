"""What the API server says of a wrong manifest, and what the suite makes of it."""

import pytest

from tests.kube_server import Serve
from tools.explain import Violation
from tools.kube.errors import KubeError
from tools.kube.refused import apply_or_explain
from tools.manifests.admission import Rule
from tools.manifests.admission_rules import CHANGES, CONFIGS, RULES, of_topic
from tools.manifests.brief import errata, resources
from tools.manifests.refused import fields, is_refusal

STRICT = 'LLMInferenceService in version "v1alpha1" cannot be handled: strict decoding error: unknown field "spec.args", unknown field "spec.image"'  # noqa: E501
APPLIED = """failed to create typed patch object (ns/llm; serving.kserve.io/v1alpha2, Kind=LLMInferenceService): errors:
  .spec.model: expected map, got &{google/gemma-2b-it}
  .spec.resources: field not declared in schema"""
WEBHOOK = 'Internal error occurred: failed calling webhook "llminferenceservice.kserve-webhook-server.v1alpha2.validator": no endpoints available'  # noqa: E501
POLICY = (
    "llminferenceservices \"x\" is forbidden: ValidatingAdmissionPolicy 'teams' with binding 'teams' denied request"
)
SAMPLE = {
    "apiVersion": "serving.kserve.io/v1alpha2",
    "kind": "LLMInferenceService",
    "metadata": {"name": "llm", "namespace": "ns"},
    "spec": {},
}


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (STRICT, ["spec.args", "spec.image"]),
        (APPLIED, ["spec.model", "spec.resources"]),
        ("x is invalid: spec.replicas: Invalid value: -1: in body", ["spec.replicas"]),
        ("no such thing", []),
    ],
)
def test_fields_of_a_refusal(words: str, paths: list[str]) -> None:
    assert fields(words) == paths


@pytest.mark.parametrize(
    ("status", "words", "is_one"),
    [
        (400, STRICT, True),
        (500, APPLIED, True),
        (500, WEBHOOK, True),
        (403, POLICY, True),
        (422, "", True),
        (403, "forbidden: User cannot create", False),
        (500, "etcd", False),
        (0, "no answer", False),
    ],
)
def test_rights_and_outages_are_no_refusals(status: int, words: str, is_one: bool) -> None:
    assert is_refusal(status, words) == is_one


def test_right_forms_are_told_of_all_wrong_fields(serve: Serve) -> None:
    _, kube = serve(lambda method, *_: (500, {"message": APPLIED}) if method == "PATCH" else (400, {"message": STRICT}))
    with pytest.raises(Violation) as refused:
        apply_or_explain(kube, SAMPLE, "kserve/controller")
    text = str(refused.value)
    for form in (
        "spec.model -> an object: model: {uri: hf://",
        "spec.image -> spec.template.containers[name=main].image",
        "spec.resources -> spec.template.containers[name=main].resources",
        "spec.args -> spec.template.containers[name=main].args",
        "explain llminferenceservice.spec",
    ):
        assert form in text


@pytest.mark.parametrize(
    ("words", "cause"),
    [(WEBHOOK, "is kserve/controller running?"), (POLICY, "the cluster's policy teams forbids it")],
)
def test_causes_of_refusals(serve: Serve, words: str, cause: str) -> None:
    _, kube = serve(lambda *_: (403, {"message": words}))
    with pytest.raises(Violation, match=cause.replace("?", r"\?")):
        apply_or_explain(kube, SAMPLE, "kserve/controller")


def test_other_errors_stay_what_they_are(serve: Serve) -> None:
    _, kube = serve(lambda *_: (403, {"message": "User cannot patch"}))
    with pytest.raises(KubeError):
        apply_or_explain(kube, SAMPLE, "kserve/controller")


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("kubectl apply -f https://github.com/kserve/kserve/releases/download/v0.15.0/kserve.yaml", "0.16 or newer"),
        (
            "github.com/openshift-service-mesh/sail-operator/releases/latest/download/x.yaml",
            "sail-operator, and an Istio",
        ),
        ("Red Hat OpenShift Service Mesh (OSSM 3.1.x)", "ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true"),
        ("key: token", "HF_TOKEN"),
        ("google.com/tpu: 1", "ct6e-standard-4t: 4"),
        ("Routes `/v1/*` from gateway", "/NAMESPACE/NAME/v1/completions"),
        ("EPP (Efficient Parameter Partitioning)", "Endpoint Picker"),
        ("kubectl get llmis -o yaml", "kubectl get llmisvc"),
        ("kubectl get llmis,httproute,inferencepools,pods", "inferencepools.inference.networking.k8s.io"),
        ("kubectl describe inferencepools", "inferencepools.inference.networking.k8s.io"),
        ("kubectl logs -n kserve deployment/kserve-controller-manager", "deployment/llmisvc-controller-manager"),
        ("svc/jaeger-query 16686:16686", "svc/tracing 16686:80"),
        ("# Should show: vllm, istio-proxy", "`main`"),
        ("kubectl delete networkpolicy --all", "one policy by its name"),
        ("curl http://<vllm-service>:8000/health", "NAME-kserve-workload-svc"),
    ],
)
def test_errata_have_their_right_form(typed: str, right: str) -> None:
    assert any(right in told for _, told in errata(typed)), errata(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "kubectl get llmisvc",
        "kubectl get inferencepools.inference.networking.k8s.io",
        "kubectl -n kserve logs deployment/llmisvc-controller-manager",
        'google.com/tpu: "4"',
        "KServe 0.19",
    ],
)
def test_right_forms_are_no_errata(typed: str) -> None:
    assert errata(typed) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("kubectl get llmisvc,httproute -A", ["llmisvc", "httproute"]),
        ("kubectl -n kserve get deploy/x", ["deploy"]),
        ("`kubectl explain llminferenceservice.spec.model`", ["llminferenceservice"]),
        ("kubectl describe pods.", ["pods"]),
        ("kubectl apply -f x", []),
    ],
)
def test_resources_of_commands(text: str, named: list[str]) -> None:
    assert resources(text) == named


@pytest.mark.parametrize("rule", [*RULES, *CHANGES, *CONFIGS], ids=lambda each: each.what)
def test_rules_tell_wrong_from_right(rule: Rule) -> None:
    assert rule.wrong != rule.right
    assert all(rule.says)
    assert rule.holds_in("v0.19.0")
    assert rule.holds_in("latest")


def test_rules_are_of_some_versions() -> None:
    what = "scaling to nothing when idle"
    assert what in [each.what for each in of_topic("scaling", "v0.19.0")]
    assert what not in [each.what for each in of_topic("scaling", "v0.22.0")]
