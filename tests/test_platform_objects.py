"""What cases about the installation decide from objects at hand: controllers, Leases, presets, images, settings."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.explain import Violation
from tools.kube.llm_service import Place
from tools.kube.platform import Platform
from tools.platform import (
    bundles,
    configuration,
    controllers,
    crashes,
    definitions,
    images,
    leases,
    monitoring,
    presets,
    webhooks,
)
from tools.platform.trouble import Trouble, demand

Object = dict[str, Any]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def platform(serve: Serve) -> Platform:
    """A cluster of which nothing is asked."""
    _, kube = serve(lambda *_: (404, {}))
    return Platform(kube, Place("kserve", "llmisvc-controller-manager"), Place("istio-system", "istiod"), "istio")


def deployment(name: str, namespace: str, image: str, **more: Any) -> Object:
    container: Object = {"name": "manager", "image": image, "args": more.get("args", []), "env": more.get("env", [])}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": more.get("labels", {})},
        "spec": {"replicas": more.get("replicas", 1), "template": {"spec": {"containers": [container]}}},
    }


OWN = deployment("llmisvc-controller-manager", "kserve", "kserve/llmisvc-controller:v0.19.0", args=["--leader-elect"])


def test_a_second_controller_is_a_rival_unless_it_is_scaled_to_nothing(platform: Platform) -> None:
    other = deployment("llm", "opendatahub", "registry.example.com/odh/llmisvc-controller@sha256:11")
    asleep = deployment("llm", "old", "kserve/llmisvc-controller:v0.17.0", replicas=0)
    foreign = deployment("kserve-controller-manager", "kserve", "kserve/kserve-controller:v0.19.0")
    (found,) = controllers.rivals(platform, [OWN, other, asleep, foreign])
    assert found.seen.startswith("Deployment opendatahub/llm runs")


def test_two_istiods_of_one_revision_are_rivals(platform: Platform) -> None:
    def istiod(namespace: str, revision: str) -> Object:
        return deployment("istiod", namespace, "istio/pilot:1.31", labels={"app": "istiod", "istio.io/rev": revision})

    assert controllers.rivals(platform, [OWN, istiod("a", "default"), istiod("b", "canary")]) == []
    (found,) = controllers.rivals(platform, [OWN, istiod("a", "default"), istiod("b", "default")])
    assert "revision default has 2 control planes: a/istiod, b/istiod" in found.seen


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (OWN, ""),
        (deployment("a", "kserve", "kserve/kserve-controller:v0.15.2"), "knows no LLMInferenceService"),
        (
            deployment(
                "a",
                "ns",
                "quay.io/odh/kserve-controller:1",
                env=[{"name": "ENABLE_LLMISVC_CONTROLLER", "value": "true"}],
            ),
            "",
        ),
        (deployment("a", "kserve", "kserve/llmisvc-controller:v0.19.0"), "write to the same objects at once"),
        (deployment("a", "kserve", "kserve/llmisvc-controller:v0.19.0", args=["--leader-elect=true"]), ""),
    ],
)
def test_the_program_is_told_by_image_and_flags(platform: Platform, found: Object, words: str) -> None:
    wrong = controllers.wrong_program(platform, found)
    assert len(wrong) == bool(words)
    assert words in "".join(each.cause for each in wrong)


@pytest.mark.parametrize(
    ("state", "last", "words"),
    [
        (
            {"waiting": {"reason": "CrashLoopBackOff"}},
            {"exitCode": 2, "reason": "Error"},
            "CrashLoopBackOff, 3 restarts",
        ),
        ({"running": {}}, {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-24T11:50:00Z"}, "OOMKilled"),
        ({"running": {}}, {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-23T11:50:00Z"}, ""),
        ({"running": {}}, {"exitCode": 0, "finishedAt": "2026-11-24T11:50:00Z"}, ""),
        ({"waiting": {"reason": "CreateContainerConfigError", "message": "no such Secret"}}, None, "no such Secret"),
        ({"waiting": {"reason": "ContainerCreating"}}, None, ""),
    ],
)
def test_crashes_of_late_are_told(state: Object, last: Object | None, words: str) -> None:
    status = {"name": "manager", "restartCount": 3, "state": state, "lastState": {"terminated": last} if last else {}}
    lines = crashes.crashed([{"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}}], NOW)
    assert len(lines) == bool(words)
    assert words in "".join(lines)


@pytest.mark.parametrize(
    ("holder", "seconds", "words"),
    [
        ("pod-a_1d2c", 5, ""),
        ("pod-a", 5, ""),
        ("pod-b_1d2c", 5, "held by pod-b_1d2c, and there is no such pod"),
        ("", 5, "held by nobody"),
        ("pod-a_1d2c", 31, "who renewed it last at"),
    ],
)
def test_leases_need_a_living_holder(holder: str, seconds: int, words: str) -> None:
    renewed = (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    spec = {"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 15}
    lines = leases.unheld([{"metadata": {"name": "l"}, "spec": spec}], {"pod-a"}, NOW)
    assert len(lines) == bool(words)
    assert words in "".join(lines)


def test_presets_are_looked_for_where_the_controller_looks(platform: Platform) -> None:
    names = presets.names("0.19.0", "kserve-")
    assert len(names) == 8
    assert len(presets.names("0.20.1", "kserve-")) == 10
    there = [{"metadata": {"name": name, "namespace": "kserve"}} for name in names]
    assert presets.missing(platform, OWN, there) == []
    there[0]["metadata"]["namespace"] = "default"
    (found,) = presets.missing(platform, OWN, there)
    assert names[0] in found.seen
    assert found.cause.startswith("it is in default: the controller looks in kserve")
    prefixed = OWN | deployment("a", "kserve", "x/llmisvc-controller:v0.19.0", env=[
        {"name": "LLM_INFERENCE_SERVICE_CONFIG_PREFIX", "value": "acme-"}])  # fmt: skip
    assert presets.missing(platform, prefixed, there)[0].seen.startswith("there is no LLMInferenceServiceConfig acme-")


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("failed to resolve reference: unexpected status: 401 Unauthorized", "no permission"),
        ("pull access denied, repository does not exist", "no permission"),
        ("manifest unknown: manifest unknown", "the tag does not exist"),
        ("dial tcp: lookup registry.example.com: no such host", "the registry cannot be reached"),
    ],
)
def test_why_an_image_is_not_pulled(message: str, cause: str) -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": message}}
    status = {"name": "c", "image": "registry.example.com/a:1", "state": waiting}
    ((seen, why),) = images.not_pulled([{"metadata": {"name": "p"}, "status": {"containerStatuses": [status]}}])
    assert "registry.example.com/a:1: ErrImagePull" in seen
    assert cause in why


def test_pull_secrets_have_a_type_and_the_registry() -> None:
    def secret(kind: str, said: Object) -> Object:
        return {"type": kind, "data": {".dockerconfigjson": base64.b64encode(json.dumps(said).encode()).decode()}}

    good = secret("kubernetes.io/dockerconfigjson", {"auths": {"registry.example.com": {}}})
    assert images.unusable(good) == ""
    assert images.unusable(good, "registry.example.com") == ""
    assert "not for quay.io" in images.unusable(good, "quay.io")
    assert images.unusable(None) == "is not there"
    assert images.unusable(secret("Opaque", {})) == "is of type Opaque"
    assert "no registry" in images.unusable(secret("kubernetes.io/dockerconfigjson", {"auths": {}}))


def test_the_configuration_is_json_but_for_its_example(platform: Platform) -> None:
    found = {"data": {"_example": "no JSON", "ingress": '{"ingressGateway": "a/b"}', "logger": "{,}"}}
    (trouble,) = configuration.unreadable(platform, found)
    assert trouble.seen.startswith("ConfigMap kserve/inferenceservice-config, key logger: ")
    assert "has no key ingress" in configuration.unreadable(platform, {"data": {}})[0].seen
    assert "ingressGateway is empty" in configuration.unreadable(platform, {"data": {"ingress": "{}"}})[0].seen
    assert "there is no ConfigMap" in configuration.unreadable(platform, None)[0].seen


def test_only_builds_that_make_monitors_need_their_kinds() -> None:
    missing = list(monitoring.KINDS)
    odh = deployment("a", "ns", "quay.io/odh-kserve-controller:1")
    assert monitoring.trouble(OWN, missing) == ""
    assert "is not set" in monitoring.trouble(odh, missing)
    assert monitoring.trouble(odh, []) == ""
    off = deployment("a", "ns", "quay.io/odh-kserve:1", env=[{"name": "LLMISVC_MONITORING_DISABLED", "value": "true"}])
    assert monitoring.trouble(off, missing) == ""


@pytest.mark.parametrize(
    ("kserve", "old", "served"),
    [("0.16.0", True, 1), ("0.17.0", True, 2), ("0.19.0", True, 2), ("0.20.0", False, 2), ("", False, 2)],
)
def test_kinds_by_release(kserve: str, old: bool, served: int) -> None:
    found = {each.name: each for each in definitions.needed(kserve)}
    assert (definitions.OLD_POOLS in found) == old
    assert len(found["llminferenceservices.serving.kserve.io"].versions) == served


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"storedVersions": ["v1alpha1", "v1alpha2"]}, "the storage version v1alpha2 alone is expected"),
        ({"storedVersions": ["v1alpha0", "v1alpha2"]}, "may be stored in v1alpha0, which is not served"),
        ({"strategy": "None"}, "with conversion strategy None"),
    ],
)
def test_what_is_stored_can_be_read(platform: Platform, change: Object, words: str) -> None:
    name = "llminferenceservices.serving.kserve.io"
    versions = [{"name": "v1alpha1", "served": True, "storage": False}, {"name": "v1alpha2", "served": True,
                                                                          "storage": True}]  # fmt: skip
    crd = {
        "metadata": {"name": name},
        "spec": {"versions": versions, "conversion": {"strategy": change.get("strategy", "Webhook")}},
        "status": {"storedVersions": change.get("storedVersions", ["v1alpha2"])},
    }
    found = definitions.stored_trouble(platform.kube, "0.19.0", {name: crd})
    assert len(found) == bool(words)
    assert words in "".join(each.seen for each in found)


def test_bundles_are_not_mixed(platform: Platform) -> None:
    def crd(name: str, bundle: str, channel: str) -> Object:
        group = "gateway.networking.k8s.io"
        notes = {f"{group}/bundle-version": bundle, f"{group}/channel": channel}
        return {"metadata": {"name": f"{name}.{group}", "annotations": notes}}

    same = [crd("gateways", "v1.5.1", "standard"), crd("httproutes", "v1.5.1", "standard")]
    assert bundles.mixed(platform.kube, same) == []
    (found,) = bundles.mixed(platform.kube, [*same, crd("tcproutes", "v1.5.1", "experimental")])
    assert found.seen == "channel standard, but of tcproutes: experimental"
    (found,) = bundles.mixed(platform.kube, [*same, crd("grpcroutes", "v1.2.1", "standard")])
    assert found.seen == "bundle version v1.5.1, but of grpcroutes: v1.2.1"


def test_endpoints_count_unless_they_say_that_they_are_not_ready() -> None:
    slices = [
        {"endpoints": [{"conditions": {"ready": True}}, {"conditions": {"ready": False}}, {"conditions": {}}]},
        {},
    ]
    assert webhooks.ready(slices) == 2


def test_all_findings_are_told_at_once() -> None:
    demand("nothing", [])
    found = [Trouble("a is gone", "it was deleted", "kubectl a"), Trouble("b is gone", "it was deleted", "kubectl b")]
    with pytest.raises(Violation) as caught:
        demand("a and b", found)
    assert caught.value.observed == "\n- a is gone\n- b is gone"
    assert (caught.value.cause, caught.value.next_step) == ("it was deleted", "kubectl a\nkubectl b")
    assert found[0].line == "a is gone (it was deleted)"
