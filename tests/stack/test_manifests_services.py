"""The services under test as they are written, rendered by the real kustomize."""

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.kube.picker_flags import flags
from tools.kube.picker_start import scraping
from tools.manifests import Document
from tools.manifests.place import destination_rule
from tools.manifests.render import render
from tools.paths import CHECKOUT
from tools.profile import load_profile
from tools.stack import Stack, locate_stack

SERVICES = CHECKOUT / "manifests" / "services"
NAMES = ["gpu/gemma-2b-it", "gpu/qwen2.5-3b-instruct", "tpu/gemma-2b-it", "tpu/qwen2.5-3b-instruct"]
VARIANTS = ["base", "overlays/local"]
BOTH = list(itertools.product(NAMES, VARIANTS))
STRICT = [
    *((name, "overlays/local") for name in NAMES),
    ("gpu/gemma-2b-it", "overlays/gke"),
    ("tpu/qwen2.5-3b-instruct", "overlays/gke"),
]


@cache
def stack() -> Stack:
    """The built stack; fails with its own words and `make stack` where there is none."""
    return locate_stack()


@cache
def rendered(name: str, variant: str) -> tuple[Document, ...]:
    return tuple(render(SERVICES / name / variant, stack().bin("kubectl")))


def one(documents: tuple[Document, ...], kind: str) -> Document:
    (found,) = (each for each in documents if each["kind"] == kind)
    return found


def service(name: str, variant: str) -> Document:
    return one(rendered(name, variant), "LLMInferenceService")


def main(document: Document) -> dict[str, Any]:
    (container,) = document["spec"]["template"]["containers"]
    assert container["name"] == "main", "KServe's preset merges by this name"
    found: dict[str, Any] = container
    return found


def test_every_service_directory_is_covered() -> None:
    bases = {str(path.parent.relative_to(SERVICES)) for path in SERVICES.glob("*/*/base")}
    assert bases == set(NAMES)


@pytest.mark.parametrize(
    ("name", "image", "resource", "count"),
    [
        ("gpu/gemma-2b-it", "vllm-cuda-rhel9:3.0.0", "nvidia.com/gpu", "1"),
        ("gpu/qwen2.5-3b-instruct", "vllm-cuda-rhel9:3.0.0", "nvidia.com/gpu", "1"),
        ("tpu/gemma-2b-it", "vllm-tpu-rhel9:3.2.5", "google.com/tpu", "1"),
        ("tpu/qwen2.5-3b-instruct", "vllm-tpu-rhel9:3.2.5", "google.com/tpu", "4"),
    ],
)
def test_real_services_run_red_hats_image_on_their_accelerator(
    name: str, image: str, resource: str, count: str
) -> None:
    container = main(service(name, "base"))
    assert container["image"] == f"registry.redhat.io/rhaiis/{image}"
    assert container["resources"]["limits"][resource] == count
    assert container["resources"]["requests"] == container["resources"]["limits"]


@pytest.mark.parametrize(("name", "variant"), BOTH)
def test_accelerator_is_asked_for_alike_selected_and_tolerated(name: str, variant: str) -> None:
    document = service(name, variant)
    resource = "nvidia.com/gpu" if name.startswith("gpu") else "google.com/tpu"
    resources = main(document)["resources"]
    assert resources["requests"][resource] == resources["limits"][resource]
    template = document["spec"]["template"]
    assert template["tolerations"] == [
        {"key": resource, "operator": "Equal", "value": "present", "effect": "NoSchedule"}
    ]
    labels = {"gpu": {"gke-accelerator"}, "tpu": {"gke-tpu-accelerator", "gke-tpu-topology"}}[name[:3]]
    assert {key.removeprefix("cloud.google.com/") for key in template["nodeSelector"]} == labels


@pytest.mark.parametrize(("name", "variant"), BOTH)
def test_probes_are_http_on_the_fixed_port(name: str, variant: str) -> None:
    container = main(service(name, variant))
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": 8000, "scheme": "HTTP"}


@pytest.mark.parametrize(("name", "variant"), BOTH)
def test_the_preset_starts_the_server(name: str, variant: str) -> None:
    container = main(service(name, variant))
    assert "command" not in container
    assert all(argument.startswith("--") for argument in container["args"])
    fixed = {"--port", "--model", "--served-model-name"}
    assert not fixed & {argument.split("=")[0] for argument in container["args"]}


@pytest.mark.parametrize(("name", "variant"), BOTH)
def test_picker_is_outside_the_mesh_and_reached_by_tls(name: str, variant: str) -> None:
    document = service(name, variant)
    router = document["spec"]["router"]
    assert (router["route"], router["gateway"]) == ({}, {})
    assert router["scheduler"]["labels"] == {"sidecar.istio.io/inject": "false"}
    metadata = document["metadata"]
    rule = one(rendered(name, variant), "DestinationRule")
    assert rule == destination_rule(metadata["name"], metadata["namespace"])


@pytest.mark.parametrize(("name", "variant"), BOTH)
def test_workloads_get_sidecars_from_the_namespace_label(name: str, variant: str) -> None:
    namespace = one(rendered(name, variant), "Namespace")
    assert namespace["metadata"]["labels"] == {"istio-injection": "enabled"}
    others = [each for each in rendered(name, variant) if each["kind"] != "Namespace"]
    assert {each["metadata"]["namespace"] for each in others} == {namespace["metadata"]["name"]}


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_references_only(name: str) -> None:
    documents = rendered(name, "base")
    assert not [each for each in documents if each["kind"] == "Secret"]
    template = one(documents, "LLMInferenceService")["spec"]["template"]
    assert template["imagePullSecrets"] == [{"name": "rhaiis-pull-secret"}]
    gated = "gemma" in name
    assert ("serviceAccountName" in template) == gated
    if gated:
        account = one(documents, "ServiceAccount")
        assert account["metadata"]["name"] == template["serviceAccountName"]
        assert account["secrets"] == [{"name": "huggingface-token"}]


@pytest.mark.parametrize("name", NAMES)
def test_local_cluster_has_the_secrets_that_are_referred_to(name: str) -> None:
    secrets = {each["metadata"]["name"]: each for each in rendered(name, "overlays/local") if each["kind"] == "Secret"}
    assert set(secrets) == {"rhaiis-pull-secret", "huggingface-token"}
    assert all(each["metadata"]["labels"] == {"llmisvc-conformance/stand-in": "secrets"} for each in secrets.values())
    # KServe skips a Secret without this key when it looks for a Hugging Face token.
    assert set(secrets["huggingface-token"]["stringData"]) == {"HF_TOKEN"}


@pytest.mark.parametrize("name", NAMES)
def test_overlay_changes_only_what_stands_in(name: str) -> None:
    real, local = service(name, "base"), service(name, "overlays/local")
    changed = {path for path, value in leaves(local) if dict(leaves(real)).get(path) != value}
    container = "spec.template.containers.0"
    allowed = {
        f"{container}.image",
        f"{container}.startupProbe.periodSeconds",
        f"{container}.readinessProbe.periodSeconds",
        *(f"{container}.resources.{kind}.{what}" for kind in ("requests", "limits") for what in ("cpu", "memory")),
    }
    if name == "tpu/gemma-2b-it":
        allowed.add("spec.template.nodeSelector.cloud.google.com/gke-tpu-topology")
    # What strict mutual TLS takes is the component's, and the same everywhere: the next test.
    strict = ("spec.annotations.", "spec.router.scheduler.template.")
    assert {path for path in changed if not path.startswith((f"{container}.args.", *strict))} == allowed
    arguments, more = main(real)["args"], main(local)["args"]
    assert more[: len(arguments)] == arguments
    assert [each.split("=")[0] for each in more[len(arguments) :]] == ["--ttft-ms", "--itl-ms"]


@pytest.mark.parametrize(("name", "variant"), STRICT)
def test_strict_mutual_tls_comes_with_a_picker_that_goes_on_seeing_load(name: str, variant: str) -> None:
    found = one(rendered(name, variant), "PeerAuthentication")
    assert found["spec"] == {"mtls": {"mode": "STRICT"}}
    document = service(name, variant)
    (picker,) = document["spec"]["router"]["scheduler"]["template"]["containers"]
    workload = {"spec": {"template": {"metadata": {"annotations": document["spec"]["annotations"]},
                                      "spec": {"containers": [main(document)]}}}}  # fmt: skip
    assert list(scraping(flags(picker), workload)) == []
    assert document["spec"]["annotations"]["prometheus.io/port"] == "8000"


@pytest.mark.parametrize("profile", ["gke-t4", "gke-tpu-v6e"])
def test_profiles_for_gke_differ_from_the_plain_service_by_strict_mutual_tls_alone(profile: str) -> None:
    manifests = load_profile(profile).manifests
    name, variant = "/".join(manifests.relative_to(SERVICES).parts[:2]), "overlays/gke"
    assert manifests == SERVICES / name / variant
    assert (name, variant) in STRICT
    document, plain = service(name, variant), service(name, "base")
    more = {path.split(".")[1] for path, value in leaves(document) if dict(leaves(plain)).get(path) != value}
    assert more == {"annotations", "router"}


@pytest.mark.parametrize("accelerator", ["gpu", "tpu"])
def test_local_profile_describes_its_service(accelerator: str) -> None:
    profile = load_profile(f"local-{accelerator}")
    document = one(tuple(render(profile.manifests, stack().bin("kubectl"))), "LLMInferenceService")
    assert document["metadata"]["name"] == profile.service
    assert document["spec"]["model"]["name"] == profile.model
    assert main(document)["image"] == profile.server_image
    assert main(document)["resources"]["limits"][profile.accelerator.resource] == str(profile.accelerator.count)
    assert document["spec"]["template"]["nodeSelector"] == profile.accelerator.node_labels


def test_local_image_is_the_stacks() -> None:
    component = yaml.safe_load((SERVICES / "local" / "kustomization.yaml").read_text())
    operations = yaml.safe_load(component["patches"][0]["patch"])
    image = next(each["value"] for each in operations if each["path"].endswith("/image"))
    assert image in stack().image_names.values()


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Every scalar of a document with its path."""
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}".removeprefix("."))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, f"{path}.{index}")]
    return [(path, value)]


def test_a_directory_that_kustomize_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [nothing.yaml]\n")
    with pytest.raises(Exception, match=r"nothing\.yaml"):
        render(tmp_path, stack().bin("kubectl"))
