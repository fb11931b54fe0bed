"""The stack's Helm values, rendered by the real Helm: each has the effect that it is there for."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.manifests import Document
from tools.manifests.crds import Crds
from tools.manifests.presets import EITHER_NODE, SCHEDULER, for_local_cluster
from tools.manifests.schema import refuse_wrong
from tools.paths import CHECKOUT
from tools.stack import Stack, locate_stack

STACK = CHECKOUT / "manifests" / "stack"
CHARTS = ["istio-base", "istiod", "kserve-llmisvc-crd", "kserve-llmisvc-resources", "kserve-runtime-configs"]
Documents = tuple[Document, ...]


@cache
def stack() -> Stack:
    return locate_stack()


@cache
def template(variant: str, chart: str) -> Documents:
    namespace = "istio-system" if chart.startswith("istio") else "kserve"
    values = STACK / variant / f"{chart}.yaml"
    command = [stack().bin("helm"), "template", chart, stack().charts / chart, "-n", namespace, "-f", values]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(document for document in yaml.load_all(done.stdout, Loader=loader) if document)


def find(documents: Documents, kind: str, name: str) -> Document:
    (found,) = (each for each in documents if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def pod(documents: Documents, deployment: str) -> dict[str, Any]:
    found: dict[str, Any] = find(documents, "Deployment", deployment)["spec"]["template"]["spec"]
    return found


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


@pytest.mark.parametrize("variant", ["local", "upstream"])
def test_every_chart_has_values_and_no_file_is_stray(variant: str) -> None:
    files = {path.stem for path in (STACK / variant).glob("*.yaml")}
    assert files - {"gateway", "coredns"} == set(CHARTS)


@pytest.mark.parametrize("variant", ["local", "upstream"])
@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_is_one_that_the_chart_knows(variant: str, chart: str) -> None:
    """Helm ignores unknown values silently: a misspelt one would have no effect."""
    known: dict[str, Any] = yaml.safe_load((stack().charts / chart / "values.yaml").read_text()) or {}
    # Istio nests its defaults so that profiles can override them.
    known = known.get("_internal_defaults_do_not_set", known)
    given: dict[str, Any] = yaml.safe_load((STACK / variant / f"{chart}.yaml").read_text())
    given.pop("meshConfig", None)  # of any field of Istio's MeshConfig; the chart's defaults have one
    assert unknown(given, known) == []


def unknown(given: dict[str, Any], known: dict[str, Any], path: str = "") -> list[str]:
    missing = []
    for name, value in given.items():
        here = f"{path}.{name}".removeprefix(".")
        if name not in known:
            missing.append(here)
        elif isinstance(value, dict) and known[name]:  # an empty map takes anything
            missing += unknown(value, known[name], here)
    return missing


@pytest.mark.parametrize("variant", ["local", "upstream"])
def test_istio_reads_inference_pools_and_logs_every_request(variant: str) -> None:
    documents = template(variant, "istiod")
    (container,) = pod(documents, "istiod")["containers"]
    assert environment(container)["ENABLE_GATEWAY_API_INFERENCE_EXTENSION"] == "true"
    mesh = yaml.safe_load(find(documents, "ConfigMap", "istio")["data"]["mesh"])
    assert (mesh["accessLogFile"], mesh["accessLogEncoding"]) == ("/dev/stdout", "JSON")


def test_only_the_local_istio_does_without_its_own_filters() -> None:
    off = {"PILOT_ENABLE_ALPN_FILTER": "false", "PILOT_ENABLE_METADATA_EXCHANGE": "false"}
    for variant, expected in {"local": off, "upstream": {}}.items():
        (container,) = pod(template(variant, "istiod"), "istiod")["containers"]
        found = environment(container)
        assert {name: found[name] for name in off if name in found} == expected
    kinds = {each["kind"] for each in template("local", "istiod")}
    assert "EnvoyFilter" not in kinds


def test_local_istio_is_one_small_drainable_pod_that_either_node_takes() -> None:
    documents = template("local", "istiod")
    deployment = find(documents, "Deployment", "istiod")
    assert deployment["spec"]["replicas"] == 1
    assert not {"HorizontalPodAutoscaler", "PodDisruptionBudget"} & {each["kind"] for each in documents}
    assert all(each in pod(documents, "istiod")["tolerations"] for each in EITHER_NODE)


def test_local_gateways_run_on_either_node() -> None:
    defaults = find(template("local", "istiod"), "ConfigMap", "istio-default-gatewayclass-istio")
    assert defaults["metadata"]["labels"]["gateway.istio.io/defaults-for-class"] == "istio"
    patch = yaml.safe_load(defaults["data"]["deployment"])
    assert patch["spec"]["template"]["spec"]["tolerations"] == EITHER_NODE


@pytest.mark.parametrize("variant", ["local", "upstream"])
def test_kserve_leaves_the_pool_crds_alone_and_uses_the_gateway(variant: str) -> None:
    documents = template(variant, "kserve-llmisvc-resources")
    assert "CustomResourceDefinition" not in {each["kind"] for each in documents}
    config = find(documents, "ConfigMap", "inferenceservice-config")["data"]
    ingress = yaml.safe_load(config["ingress"])
    assert ingress["enableGatewayApi"] is True
    gateway = yaml.safe_load((STACK / variant / "gateway.yaml").read_text())
    assert ingress["kserveIngressGateway"] == "{namespace}/{name}".format(**gateway["metadata"])
    assert ingress["ingressClassName"] == gateway["spec"]["gatewayClassName"] == "istio"


def test_local_kserve_starts_quickly_on_either_node() -> None:
    found = pod(template("local", "kserve-llmisvc-resources"), "llmisvc-controller-manager")
    assert found["tolerations"] == EITHER_NODE
    (container,) = found["containers"]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["readinessProbe"]["initialDelaySeconds"] == 0
    assert container["resources"]["limits"]["cpu"] == "1"


def test_every_local_image_is_one_of_the_stacks() -> None:
    """Nothing can be pulled on the local cluster: a name that differs by a letter is a pod that never starts."""
    deploying = ["istiod", "kserve-llmisvc-resources"]
    dns = [each for each in yaml.safe_load_all((STACK / "local" / "coredns.yaml").read_text()) if each]
    presets = [each for each in for_local_cluster(template("local", "kserve-runtime-configs"))
               if each["metadata"]["name"] == SCHEDULER]  # fmt: skip
    charts = [each for chart in deploying for each in template("local", chart) if each["kind"] == "Deployment"]
    injected = yaml.safe_load(
        find(template("local", "istiod"), "ConfigMap", "istio-sidecar-injector")["data"]["values"]
    )
    glob = injected["global"]
    wanted = {*images([*dns, *presets, *charts]), f"{glob['hub']}/{glob['proxy']['image']}:{glob['tag']}"}
    assert wanted - set(stack().image_names.values()) == set()


def images(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["image"]} if isinstance(value.get("image"), str) else set()
        return own | {found for inner in value.values() for found in images(inner)}
    return {found for inner in value for found in images(inner)} if isinstance(value, list) else set()


@pytest.mark.parametrize("variant", ["local", "upstream"])
def test_presets_are_installed_and_serving_runtimes_are_not(variant: str) -> None:
    documents = template(variant, "kserve-runtime-configs")
    assert {each["kind"] for each in documents} == {"LLMInferenceServiceConfig"}
    assert SCHEDULER in {each["metadata"]["name"] for each in documents}


def test_local_scheduler_preset_keeps_its_shape() -> None:
    stock = template("local", "kserve-runtime-configs")
    local = tuple(for_local_cluster(stock))
    before = find(stock, "LLMInferenceServiceConfig", SCHEDULER)
    after = find(local, "LLMInferenceServiceConfig", SCHEDULER)
    old, new = (each["spec"]["router"]["scheduler"]["template"] for each in (before, after))
    assert new["tolerations"] == EITHER_NODE
    assert "tolerations" not in old
    for ours, theirs in zip(new["containers"], old["containers"], strict=True):
        changed = {name for name in ours if ours[name] != theirs[name]}
        assert changed <= {"resources", "readinessProbe", "startupProbe"}
        assert ours["readinessProbe"]["initialDelaySeconds"] == 0
    assert {name for name in new if name != "tolerations" and new[name] != old[name]} == {"containers"}
    others = [each["metadata"]["name"] for each in stock if each["metadata"]["name"] != SCHEDULER]
    assert all(
        find(stock, "LLMInferenceServiceConfig", n) == find(local, "LLMInferenceServiceConfig", n) for n in others
    )


def test_local_scheduler_preset_is_right() -> None:
    presets = for_local_cluster(template("local", "kserve-runtime-configs"))
    crds = Crds(
        [stack().charts / "kserve-llmisvc-crd" / "templates" / "serving.kserve.io_llminferenceserviceconfigs.yaml"]
    )
    refuse_wrong([each for each in presets if each["metadata"]["name"] == SCHEDULER], crds, "presets")


def test_a_release_without_the_scheduler_preset_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match=SCHEDULER):
        for_local_cluster([{"kind": "LLMInferenceServiceConfig", "metadata": {"name": "another"}}])


def test_cluster_dns_fits_its_binary() -> None:
    documents = tuple(each for each in yaml.safe_load_all((STACK / "local/coredns.yaml").read_text()) if each)
    text = find(documents, "ConfigMap", "coredns")["data"]["Corefile"]
    block = text[text.index("{") + 1 : text.rindex("}")]
    depth, used = 0, set()
    for line in filter(None, map(str.strip, block.splitlines())):
        if depth == 0:
            used.add(line.split()[0])
        depth += line.count("{") - line.count("}")
    source = (CHECKOUT / "stack" / "coredns" / "main.go").read_text()
    built = {plugin for plugin in used if f'coredns/plugin/{plugin}"' in source}
    assert used - {"}"} == built
    assert pod(documents, "coredns")["tolerations"] == EITHER_NODE
    assert "clusterIP" not in find(documents, "Service", "kube-dns")["spec"]


def test_gateway_of_both_variants_is_the_same() -> None:
    texts = {Path(STACK / variant / "gateway.yaml").read_text() for variant in ("local", "upstream")}
    assert len(texts) == 1
