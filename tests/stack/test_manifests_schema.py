"""Manifests against the real CRDs, and what the check says of manifests that follow a wrong document."""

from functools import cache
from typing import Any

import pytest
import yaml

from tools.errors import UserError
from tools.manifests import Document
from tools.manifests.crds import Crds
from tools.manifests.hints import KNOWN
from tools.manifests.place import own_gateway
from tools.manifests.render import render
from tools.manifests.schema import check, refuse_wrong
from tools.manifests.versions import in_served_version
from tools.paths import CHECKOUT
from tools.stack import locate_stack

SERVICES = CHECKOUT / "manifests" / "services"
DIRECTORIES = sorted(str(path.parent.relative_to(SERVICES)) for path in SERVICES.glob("*/*/**/kustomization.yaml"))

# A sample that goes round: no field of its spec but `replicas` is one.
WRONG_SAMPLE = """
apiVersion: serving.kserve.io/v1alpha1
kind: LLMInferenceService
metadata: {name: vllm-gemma, namespace: default}
spec:
  image: registry.redhat.io/rhaiis/vllm-tpu-rhel9:3.2.5
  model: google/gemma-2b-it
  replicas: 1
  runtime: {containerPort: 8000}
  resources: {limits: {google.com/tpu: 1}}
  env:
    - {name: PJRT_DEVICE, value: TPU}
    - {name: HF_TOKEN, valueFrom: {secretKeyRef: {name: huggingface-token, key: token}}}
  args: [--dtype=half, --max-model-len=2048]
"""


@cache
def crds() -> Crds:
    stack = locate_stack()
    return Crds([stack.charts / "kserve-llmisvc-crd" / "templates", stack.charts / "istio-base" / "files", stack.crds])


@cache
def rendered(directory: str) -> list[Document]:
    return render(SERVICES / directory, locate_stack().bin("kubectl"))


@pytest.mark.parametrize("directory", DIRECTORIES)
@pytest.mark.parametrize("version", ["v1alpha2", "v1alpha1"])
def test_services_are_right_in_both_versions(directory: str, version: str) -> None:
    documents = [
        in_served_version(each, [version]) if each["kind"] == "LLMInferenceService" else each
        for each in rendered(directory)
    ]
    refuse_wrong(documents, crds(), directory)


def test_gateways_are_right() -> None:
    shared = yaml.safe_load((CHECKOUT / "manifests/stack/upstream/gateway.yaml").read_text())
    refuse_wrong([shared, own_gateway("chat", "n", {"run": "7"})], crds(), "gateways")


def test_the_wrong_sample_is_refused_field_by_field_with_the_right_form() -> None:
    with pytest.raises(UserError) as refused:
        refuse_wrong([yaml.safe_load(WRONG_SAMPLE)], crds(), "sample.yaml")
    lines = {
        line.split(": ")[1]: line
        for line in str(refused.value).splitlines()
        if "LLMInferenceService vllm-gemma" in line
    }
    container = "spec.template.containers[name=main]"
    assert {path: right in lines[path] for path, right in {
        "spec.image": f"{container}.image",
        "spec.model": "model: {uri: hf://ORGANISATION/MODEL, name: ORGANISATION/MODEL}",
        "spec.runtime": "port 8000",
        "spec.resources": f"{container}.resources",
        "spec.env": "Secret with the key HF_TOKEN",
        "spec.args": f"{container}.args",
    }.items()} == dict.fromkeys(lines, True)  # fmt: skip


def test_every_right_form_that_names_a_field_names_one_that_exists() -> None:
    schema = crds().find("serving.kserve.io", "LLMInferenceService").schemas["v1alpha2"]
    for wrong, right in KNOWN.items():
        path = right.split(" ")[0].rstrip(";:,")
        if path.startswith("spec."):
            assert exists(schema, path.split(".")), f"{wrong} -> {right}"
        parent, _, name = wrong.rpartition(".")
        assert wrong == "spec.model" or not exists(schema, [*parent.split("."), name]), f"{wrong} exists"


def exists(schema: Document, names: list[str]) -> bool:
    for name in names:
        schema = schema.get("properties", {}).get(name.split("[")[0], {})
        schema = schema.get("items", schema)
    return bool(schema)


def service(spec: dict[str, Any]) -> Document:
    return {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": {"name": "chat", "labels": {"any": "label"}},
        "spec": {"model": {"uri": "hf://a/b"}} | spec,
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"tempalte": {}}, "spec.tempalte: no such field; right: did you mean template?"),
        (
            {"template": {"containers": [{"name": "main", "imge": "x"}]}},
            "spec.template.containers[0].imge: no such field; right: did you mean image?",
        ),
        (
            {"template": {"image": "x"}},
            "spec.template.image: no such field; right: there is containers[].image below it",
        ),
        (
            {"router": {"scheduler": {"lables": {}}}},
            "spec.router.scheduler.lables: no such field; right: did you mean labels?",
        ),
        ({"replicas": "two"}, "spec.replicas: must be integer, is str 'two'"),
        ({"model": {"name": "a"}}, "spec.model: 'uri' is a required property"),
    ],
)
def test_findings(spec: dict[str, Any], expected: str) -> None:
    schema = crds().find("serving.kserve.io", "LLMInferenceService").schemas["v1alpha2"]
    found = [str(each).split("; right: an object")[0] for each in check(service(spec), schema)]
    assert found == [expected]


def test_maps_of_anything_and_metadata_are_not_fields() -> None:
    schema = crds().find("serving.kserve.io", "LLMInferenceService").schemas["v1alpha2"]
    template = {"nodeSelector": {"a.b/c": "d"}, "containers": [{"name": "main", "resources": {"limits": {"x/y": 1}}}]}
    assert check(service({"labels": {"any": "thing"}, "template": template}), schema) == []


def test_a_version_that_is_not_served_is_named_with_those_that_are() -> None:
    wrong = service({}) | {"apiVersion": "serving.kserve.io/v1beta1"}
    with pytest.raises(UserError, match=r"v1beta1 is not served; right: one of v1alpha1, v1alpha2"):
        refuse_wrong([wrong], crds(), "somewhere")


def test_a_kind_without_a_crd_is_refused() -> None:
    with pytest.raises(UserError, match="InferenceService"):
        refuse_wrong([service({}) | {"kind": "InferenceService"}], crds(), "somewhere")
