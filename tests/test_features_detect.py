"""Features of whole clusters, read through a real HTTP server."""

from dataclasses import replace
from pathlib import Path

from tests.features_world import answers, refusals, world
from tests.kube_server import CONTEXT, KubeServer, Serve
from tools.features import catalogue
from tools.features.detect import conclude, detect
from tools.features.feature import Feature, Settings
from tools.features.reading import Reading
from tools.features.summary import accelerator_real, header_lines, lines, versions
from tools.features.survey import survey
from tools.kube.client import Kube

# Ports of pods are not forwarded by the tests' server.
SETTINGS = Settings(ask_pods=False)
OPENSHIFT = replace(
    SETTINGS,
    kserve_namespace="redhat-ods-applications",
    istio_namespace="openshift-ingress",
    gateway_class="openshift-default",
)
ELSEWHERE = frozenset({"idle-counters"})


def found(serve: Serve, name: str, settings: Settings = SETTINGS) -> dict[str, Feature]:
    _, kube = serve(answers(world(name)))
    return {each.name: each for each in detect(kube, settings)}


def test_local_cluster_as_recorded(serve: Serve) -> None:
    cluster = world("local")
    _, kube = serve(answers(cluster))
    settings = replace(SETTINGS, standins=("accelerators",))
    read = replace(
        survey(kube, settings),
        istiod_words=Reading("pod/istiod:15014/version", cluster["istiod_words"]),
        proxy=Reading("pod/gateway:15000/server_info", cluster["proxy"]),
    )
    features = {each.name: each for each in conclude(read, settings)}
    assert versions(list(features.values())) == {
        "kubernetes": "1.36.3",
        "kserve": "0.19.0",
        "istio": "1.31",  # not 1.0.0, as the label of a chart says that nobody released
        "gateway-api": "1.6.0",
        "gateway-api-channel": "standard",
        "inference-extension": "1.5.0",
        "endpoint-picker": "0.7.1",
    }
    lacks = {name for name, each in features.items() if each.present is False}
    assert lacks == {
        *("leader-worker-set", "keda", "wva", "prometheus-operator", "cert-manager", "sail-operator"),
        *("ambient", "strict-mtls", "device-plugin-gpu", "device-plugin-tpu", "istio-metrics", "prometheus", "tracing"),
    }
    assert [name for name, each in features.items() if each.present is None] == ["network-policy-enforcement"]
    assert "the proxy has no filter envoy.filters.http.istio_stats" in features["istio-metrics"].have
    assert "there is no Deployment with" in features["cert-manager"].have


def test_gke(serve: Serve) -> None:
    features = found(serve, "gke")
    present = {name for name, each in features.items() if each.present}
    assert {"llm-inference-service", "inference-pool-v1", "cert-manager", "gateway-class", "strict-mtls"} <= present
    assert {"native-sidecars", "validating-admission-policy", "accelerators-tpu", "device-plugin-tpu"} <= present
    assert {"istio-inference", "istio-metrics", "tracing", "prometheus", "sidecar-injection", "istiod"} <= present
    assert versions(list(features.values())) == {
        "kubernetes": "1.34.1",
        "kserve": "0.20.0",
        "istio": "1.28.2",
        "gateway-api": "1.4.1",
        "gateway-api-channel": "standard",
        "inference-extension": "1.5.0",
        "endpoint-picker": "0.9.0",
    }
    assert features["llm-inference-service"].have == (
        "served in v1alpha1, v1alpha2; stored in v1alpha2, objects may still be stored in v1alpha1"
    )
    assert features["gateway-api"].have.endswith("bundle v1.4.1; channel standard")
    assert features["istio-inference"].have.endswith("Istio 1.28.2: InferencePool v1 only")


def test_gke_accelerators(serve: Serve) -> None:
    features = found(serve, "gke")
    assert features["accelerators-tpu"].have == "8 of google.com/tpu on 2 nodes: 2 with tpu-v6e-slice 2x2"
    assert features["accelerators-gpu"].have.endswith("gke-t4 has 1, none allocatable")
    assert "tpu-device-plugin, 2 ready" in features["device-plugin-tpu"].have
    assert features["device-plugin-gpu"].present is False  # it is there, and no pod of it is ready
    assert accelerator_real(list(features.values()), "tpu")
    assert not accelerator_real(list(features.values()), "gpu")


def test_gke_mesh_is_told_in_full(serve: Serve) -> None:
    features = found(serve, "gke")
    assert features["strict-mtls"].have == (
        "mesh-wide STRICT; namespace legacy PERMISSIVE; namespace llm STRICT; for single workloads: llm/metrics"
    )
    assert found(serve, "gke", replace(SETTINGS, namespace="legacy"))["strict-mtls"].present is False
    assert "without CA bundle: namespace.sidecar-injector.istio.io" in features["sidecar-injection"].have
    assert features["leader-worker-set"].present is False
    assert "there is no Deployment with" in features["leader-worker-set"].have
    assert features["network-policy-enforcement"].present is None
    assert "GKE Dataplane V2 (anetd)" in features["network-policy-enforcement"].have


def test_openshift(serve: Serve) -> None:
    features = found(serve, "openshift", OPENSHIFT)
    assert features["sail-operator"].have.startswith(
        "Deployment openshift-operators/servicemesh-operator3, 1 of 1 ready"
    )
    assert features["sail-operator"].have.endswith("Istio openshift-gateway: v1.26.2, Healthy")
    # The images have digests in place of tags: the version is told by the sail operator's object.
    assert versions(list(features.values()))["istio"] == "1.26.2"
    assert features["istio-inference"].present is False
    assert "this version knows no InferencePool" in features["istio-inference"].have
    assert features["inference-pool-v1"].present is False
    assert features["inference-pool-v1alpha2"].present is True
    assert features["device-plugin-gpu"].present is True
    assert features["prometheus"].have == "pods openshift-monitoring/prometheus-k8s-0"
    assert features["istio-metrics"].have.startswith("prometheus by ConfigMap istio-openshift-gateway")
    assert features["kserve"].present is True
    assert features["kserve"].versions == {}
    assert features["strict-mtls"].have == "mesh-wide PERMISSIVE (Istio's default: none in openshift-ingress)"


def test_a_profile_that_names_the_wrong_namespace_is_told_the_right_one(serve: Serve) -> None:
    kserve = found(serve, "openshift")["kserve"]
    assert kserve.present is False
    assert "but redhat-ods-applications/llmisvc-controller-manager: name it in the profile" in kserve.have


def test_a_cluster_without_kserve_lacks_everything_and_knows_it(serve: Serve) -> None:
    features = found(serve, "bare")
    assert {name for name, each in features.items() if each.present} == {"kubernetes"}
    assert {name for name, each in features.items() if each.present is None} == {"network-policy-enforcement"}
    assert features["llm-inference-service"].have == "no kind llminferenceservices.serving.kserve.io"


def test_who_may_read_nothing_is_told_so_and_never_no(serve: Serve) -> None:
    server, kube = serve(refusals("/version", of=world("gke")))
    features = detect(kube, SETTINGS)
    # Kubelets are not older than three minor versions.
    assert [each.name for each in features if each.present is not None] == ["kubernetes", "native-sidecars"]
    assert {each.name for each in features if "403: User" not in each.have} == {"kubernetes"}
    assert {each[0] for each in server.asked} == {"GET"}


def test_unknown_kubelets_may_be_too_old_for_sidecars(serve: Serve) -> None:
    cluster = world("gke") | {"/version": {"gitVersion": "v1.30.2"}}
    features = {each.name: each for each in detect(serve(refusals("/version", of=cluster))[1], SETTINGS)}
    assert features["native-sidecars"].present is None


def test_discovery_alone_tells_the_kinds(serve: Serve) -> None:
    """As for a user who may only manage one namespace."""
    _, kube = serve(refusals("/version", "/apis", of=world("gke")))
    features = {each.name: each for each in detect(kube, SETTINGS)}
    service = features["llm-inference-service"]
    assert service.present is True
    assert service.have.startswith("served in v1alpha1, v1alpha2; stored version unknown (403: ")
    assert features["inference-pool-v1alpha2"].present is False
    assert features["cert-manager"].present is None
    assert features["sail-operator"].present is False
    assert features["strict-mtls"].present is None


def test_no_discovery_is_no_no(serve: Serve) -> None:
    """As from an API server before 1.26."""
    inner = answers(world("gke"))

    def answer(method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        return (200, {"kind": "APIGroupList"}) if path == "/apis" else inner(method, path, query, body)

    features = {each.name: each for each in detect(serve(answer)[1], SETTINGS)}
    untold = {name for name, each in features.items() if "APIGroupList in place of" in each.have}
    assert {"gateway-class", "endpoint-picker", "strict-mtls", "tracing", "validating-admission-policy"} <= untold
    assert all(features[name].present is None for name in untold)
    assert features["llm-inference-service"].present is True  # its definition tells


def test_no_answer_is_waited_for_once(tmp_path: Path) -> None:
    server = KubeServer(lambda *_: (500, {}))
    kubeconfig = server.kubeconfig(tmp_path)
    server.close()
    features = detect(Kube(kubeconfig, CONTEXT), SETTINGS)
    assert {each.present for each in features} == {None}
    assert all("no answer" in each.have for each in features)


def test_something_else_than_an_api_server_is_told(serve: Serve) -> None:
    _, kube = serve(lambda *_: (200, {"hello": "world"}))
    features = {each.name: each for each in detect(kube, SETTINGS)}
    assert features["kubernetes"].present is None
    assert "this is not a Kubernetes API server" in features["kubernetes"].have


def test_header_is_short_and_complete(serve: Serve) -> None:
    features = detect(serve(answers(world("gke")))[1], SETTINGS)
    head = header_lines(features)
    assert head[0] == (
        "versions: kubernetes 1.34.1, kserve 0.20.0, istio 1.28.2, gateway-api 1.4.1, inference-extension 1.5.0,"
        " endpoint-picker 0.9.0"
    )
    assert [row.partition(":")[0] for row in head[1:]] == ["has", "lacks", "could not be told"]
    told = [name.strip() for row in head[1:] for name in row.partition(": ")[2].split(",")]
    assert sorted(told) == sorted(each.name for each in features)
    assert len(lines(features)) == len(features)
    assert all(each.evidence for each in features)


def test_catalogue_names_what_is_detected(serve: Serve) -> None:
    names = {each.name for each in detect(serve(answers(world("bare")))[1], SETTINGS)}
    assert names | ELSEWHERE == {each.name for each in catalogue.entries()}


def test_page_is_made_of_the_catalogue() -> None:
    page = Path(__file__).parent.parent / "docs" / "features.md"
    assert page.read_text() == catalogue.page(), "next: .venv/bin/python -m tools.features > docs/features.md"
