"""What single findings conclude: the cluster of test_features_detect.py with one thing changed."""

from dataclasses import replace
from typing import Any

import pytest

from tests.features_world import answers, world
from tests.kube_server import Serve
from tools.features.detect import conclude, detect
from tools.features.feature import Feature, Settings
from tools.features.reading import Reading
from tools.features.summary import accelerator_real, versions
from tools.features.survey import survey

SETTINGS = Settings(ask_pods=False)


def found(serve: Serve, cluster: dict[str, Any], settings: Settings = SETTINGS) -> dict[str, Feature]:
    _, kube = serve(answers(cluster))
    return {each.name: each for each in detect(kube, settings)}


def test_a_standin_behind_accelerators_is_no_device_plugin(serve: Serve) -> None:
    features = found(serve, world("gke"), replace(SETTINGS, standins=("accelerators",)))
    assert features["device-plugin-tpu"].present is False
    assert features["accelerators-tpu"].present is True
    assert not accelerator_real(list(features.values()), "tpu")


def test_a_plugin_that_pretends_is_no_device_plugin(serve: Serve) -> None:
    cluster = world("gke")
    plugin = cluster["/apis/apps/v1/daemonsets"][2]
    plugin["spec"]["template"]["spec"]["containers"][0]["image"] = "ghcr.io/somebody/fake-tpu-device-plugin:1"
    features = found(serve, cluster)
    assert features["device-plugin-tpu"].present is False
    assert features["device-plugin-tpu"].have.startswith("pretends by its name")


def test_accelerators_from_nobody_known_cannot_be_told(serve: Serve) -> None:
    cluster = world("gke")
    cluster["/apis/apps/v1/daemonsets"] = []
    features = found(serve, cluster)
    assert features["device-plugin-tpu"].present is None


@pytest.mark.parametrize(
    ("extensions", "present"),
    [([{"name": "envoy.filters.http.istio_stats"}], True), ([{"name": "envoy.filters.http.router"}], False)],
)
def test_a_proxy_without_istios_filter_counts_no_requests(
    serve: Serve, extensions: list[dict[str, str]], present: bool
) -> None:
    _, kube = serve(answers(world("gke")))
    proxy = Reading("pod/gateway:15000/server_info", {"version": "1.40.0", "node": {"extensions": extensions}})
    features = {each.name: each for each in conclude(replace(survey(kube, SETTINGS), proxy=proxy), SETTINGS)}
    assert features["istio-metrics"].present is present


def test_istiod_is_believed_before_its_image(serve: Serve) -> None:
    _, kube = serve(answers(world("gke")))
    words = Reading("pod/istiod:15014/version", {"text": "1.29.0-abc-Clean"})
    features = conclude(replace(survey(kube, SETTINGS), istiod_words=words), SETTINGS)
    assert versions(features)["istio"] == "1.29.0"


@pytest.mark.parametrize(
    ("image", "env", "present", "words"),
    [
        ("istio/pilot:1.27.3", "true", True, "InferencePool v1alpha2 only"),
        ("istio/pilot:1.28.0", "false", False, "=false in istiod"),
        ("istio/pilot:1.31.2", None, False, "no flag set: off by default"),
        ("istio/pilot:1.40.0", None, None, "no flag set"),
        ("istio/pilot:latest", None, None, "of unknown version"),
        ("istio/pilot:latest", "true", True, "which pools is not known"),
    ],
)
def test_which_pools_istio_understands(
    serve: Serve, image: str, env: str | None, present: bool | None, words: str
) -> None:
    cluster = world("gke")
    container = cluster["/apis/apps/v1/deployments"][1]["spec"]["template"]["spec"]["containers"][0]
    container["image"] = image
    container["env"] = [{"name": "ENABLE_GATEWAY_API_INFERENCE_EXTENSION", "value": env}] if env else []
    feature = found(serve, cluster)["istio-inference"]
    assert feature.present is present
    assert words in feature.have


def test_pods_that_may_not_be_asked_leave_the_configurations_word(serve: Serve) -> None:
    cluster = world("gke")
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    cluster["/api/v1/pods"] = [
        {
            "metadata": {"name": "istiod-1", "namespace": "istio-system", "labels": {"app": "istiod"}},
            "spec": {"containers": [{"name": "discovery"}]},
            "status": ready,
        },
        {
            "metadata": {
                "name": "gateway-1",
                "namespace": "llm",
                "labels": {"gateway.networking.k8s.io/gateway-name": "g"},
            },
            "spec": {"containers": [], "initContainers": [{"name": "istio-proxy"}]},
            "status": ready,
        },
    ]
    features = found(serve, cluster, Settings(ask_pods=True))
    assert versions(list(features.values()))["istio"] == "1.28.2"
    assert "pod/istiod-1:15014/version in istio-system" in features["istiod"].evidence
    metrics = features["istio-metrics"]
    assert metrics.present is True
    assert metrics.have.startswith("prometheus by ConfigMap istio; by configuration alone, no proxy told its filters: ")


def test_ztunnel_is_ambient(serve: Serve) -> None:
    cluster = world("gke")
    status = {"numberReady": 2, "desiredNumberScheduled": 3}
    ztunnel = {"metadata": {"name": "ztunnel", "namespace": "istio-system"}, "spec": {}, "status": status}
    ztunnel["spec"] = {"template": {"spec": {"containers": [{"image": "istio/ztunnel:1.28.2"}]}}}
    cluster["/apis/apps/v1/daemonsets"].append(ztunnel)
    ambient = found(serve, cluster)["ambient"]
    assert ambient.present is True
    assert ambient.have == "DaemonSet istio-system/ztunnel, 2 of 3 ready"


def test_a_mesh_without_control_plane_counts_nothing(serve: Serve) -> None:
    cluster = world("gke")
    del cluster["/apis/apps/v1/deployments"][1]
    features = found(serve, cluster)
    assert [features[name].present for name in ("istiod", "istio-inference", "istio-metrics")] == [False] * 3
