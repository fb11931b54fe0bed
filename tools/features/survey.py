"""Everything that detection reads, in three rounds of requests side by side; nothing is decided here."""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tools.features import names
from tools.features.feature import Settings
from tools.features.reading import Object, Reading, read
from tools.features.served import KIND, served
from tools.kube.client import Kube
from tools.kube.pods import is_ready
from tools.kube.port_forward import get_from_pod

_DISCOVERY = ",".join(f"application/json;g=apidiscovery.k8s.io;v={each};as={KIND}" for each in ("v2", "v2beta1"))
# Few enough not to be throttled by a managed cluster.
_AT_ONCE = 8
_ISTIOD_PORT = 15014
_ENVOY_PORT = 15000

# A path with its query, or the answer that needs no asking.
_Request = tuple[str, dict[str, str]] | Reading


@dataclass(frozen=True)
class Survey:
    """What was read.

    Attributes:
        version: of the API server.
        apis: aggregated discovery.
        crds: CustomResourceDefinitions by name.
        kserve: KServe's controller, where the settings say.
        kserve_anywhere: Deployments of that name in all namespaces.
        controllers: Deployments of additions, by label.
        operators: Deployments of operators, by label.
        istiods: Deployments of Istio's control planes.
        istios: what the sail operator is to install.
        daemon_sets: of all namespaces.
        presets: LLMInferenceServiceConfigs of KServe's namespace.
        gateway_classes, injectors, peer_authentications, telemetries, nodes: all there are.
        prometheus_pods, gateway_pods: by label, in all namespaces.
        meshes: ConfigMaps with the mesh's configuration, one for each istiod.
        istiod_words: what an istiod answered to `/version`, if it was asked.
        proxy: what a gateway's proxy answered to `/server_info`, if it was asked.
    """

    version: Reading
    apis: Reading
    crds: Mapping[str, Reading]
    kserve: Reading
    kserve_anywhere: Reading
    controllers: Reading
    operators: Reading
    istiods: Reading
    istios: Reading
    daemon_sets: Reading
    presets: Reading
    gateway_classes: Reading
    injectors: Reading
    peer_authentications: Reading
    telemetries: Reading
    nodes: Reading
    prometheus_pods: Reading
    gateway_pods: Reading
    meshes: tuple[Reading, ...]
    istiod_words: Reading | None
    proxy: Reading | None


def survey(kube: Kube, settings: Settings) -> Survey:
    """Read a cluster; what cannot be read is kept as such."""
    version = _Reach(kube, "").get("/version", check=_told_version)
    # A refusal is of this one path; whatever else is wrong with it is wrong with all.
    reach = _Reach(kube, "" if version.problem.startswith("403") else version.problem)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        apis = reach.get("/apis", check=_discovery, accept=_DISCOVERY)
        requests = _requests(settings, apis)
        found = dict(zip(requests, pool.map(reach.answer, requests.values()), strict=True))
        crds = {each.crd: _crd_path(each) for each in names.APIS}
        defined = dict(zip(crds, pool.map(reach.get, crds.values()), strict=True))
        meshes = tuple(pool.map(reach.get, _mesh_paths(found["istiods"].items)))
        words, proxy = (None, None) if not settings.ask_pods else _asked_pods(reach, pool, found)
    return Survey(version, apis, defined, **found, meshes=meshes, istiod_words=words, proxy=proxy)


class _Reach:
    """Reads, unless it is known that no API server answers: ten timeouts say no more than one."""

    def __init__(self, kube: Kube, unreachable: str) -> None:
        self._kube = kube
        self._unreachable = unreachable

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        check: Callable[[Object], None] = lambda _: None,
        accept: str = "",
    ) -> Reading:
        where = path + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")
        if self._unreachable:
            return Reading(where, problem=self._unreachable)

        def ask() -> Object:
            body = self._kube.request("GET", path, query, accept=accept)
            check(body)
            return body

        return read(where, ask)

    def answer(self, request: _Request) -> Reading:
        return request if isinstance(request, Reading) else self.get(*request)

    def pod(self, found: Object, port: int, path: str, take: Callable[[str], Object]) -> Reading:
        meta = found["metadata"]
        where = f"pod/{meta['name']}:{port}{path} in {meta['namespace']}"
        return read(where, lambda: take(get_from_pod(self._kube, meta["namespace"], meta["name"], port, path).body))

    def first_pod(self, namespace: str, labels: str) -> Object | None:
        listed = self.get(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": labels})
        return next((pod for pod in listed.items if is_ready(pod)), None)


def _requests(settings: Settings, apis: Reading) -> dict[str, _Request]:
    """What to ask, by attribute of the survey."""
    apps, kserve = "/apis/apps/v1", settings.kserve_namespace
    names_in = ",".join(sorted({name for each in names.APIS for name in each.controllers}))
    return {
        "kserve": (f"{apps}/namespaces/{kserve}/deployments/{settings.kserve_controller}", {}),
        "kserve_anywhere": (f"{apps}/deployments", {"fieldSelector": f"metadata.name={settings.kserve_controller}"}),
        "controllers": (f"{apps}/deployments", {"labelSelector": f"app.kubernetes.io/name in ({names_in})"}),
        "operators": (
            f"{apps}/deployments",
            {"labelSelector": f"app.kubernetes.io/part-of in ({','.join((*names.SAIL, 'lws'))})"},
        ),
        "istiods": (f"{apps}/deployments", {"labelSelector": "app=istiod"}),
        "istios": _custom(apis, "sailoperator.io", "istios"),
        "daemon_sets": (f"{apps}/daemonsets", {}),
        "presets": _custom(apis, "serving.kserve.io", "llminferenceserviceconfigs", kserve),
        "gateway_classes": _custom(apis, "gateway.networking.k8s.io", "gatewayclasses"),
        "injectors": (
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
            {"labelSelector": "app=sidecar-injector"},
        ),
        "peer_authentications": _custom(apis, "security.istio.io", "peerauthentications"),
        "telemetries": _custom(apis, "telemetry.istio.io", "telemetries"),
        "nodes": ("/api/v1/nodes", {}),
        "prometheus_pods": ("/api/v1/pods", {"labelSelector": "app.kubernetes.io/name=prometheus"}),
        "gateway_pods": ("/api/v1/pods", {"labelSelector": "gateway.networking.k8s.io/gateway-name"}),
    }


def _asked_pods(
    reach: _Reach, pool: ThreadPoolExecutor, found: Mapping[str, Reading]
) -> tuple[Reading | None, Reading | None]:
    def istiod() -> Reading | None:
        namespaces = [each["metadata"]["namespace"] for each in found["istiods"].items]
        pod = reach.first_pod(namespaces[0], "app=istiod") if namespaces else None
        return reach.pod(pod, _ISTIOD_PORT, "/version", lambda text: {"text": text.strip()}) if pod else None

    proxies = (pod for pod in found["gateway_pods"].items if is_ready(pod) and _has_proxy(pod))
    gateway = next(proxies, None)
    words = pool.submit(istiod)
    proxy = reach.pod(gateway, _ENVOY_PORT, "/server_info", json.loads) if gateway else None
    return words.result(), proxy


def _has_proxy(pod: Object) -> bool:
    spec = pod["spec"]
    return any(each["name"] == "istio-proxy" for each in [*spec["containers"], *spec.get("initContainers", [])])


def _mesh_paths(istiods: Iterable[Object]) -> list[str]:
    found = []
    for each in istiods:
        meta = each["metadata"]
        revision = meta.get("labels", {}).get("istio.io/rev", "default")
        name = "istio" if revision == "default" else f"istio-{revision}"
        found.append(f"/api/v1/namespaces/{meta['namespace']}/configmaps/{name}")
    return found


def _crd_path(api: names.Api) -> str:
    return f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{api.crd}"


def _custom(apis: Reading, group: str, plural: str, namespace: str = "") -> _Request:
    """Objects of a kind that may not be served: who may not list it is told 403 also where there is no such kind."""
    if apis.body is None:
        return Reading(f"{apis.where}: {group}", problem=apis.problem or "no discovery")
    versions = served(apis.body, group, plural)
    if not versions:
        return Reading(f"{apis.where}: {group} without {plural}")
    inside = f"namespaces/{namespace}/" if namespace else ""
    return f"/apis/{group}/{versions[0]}/{inside}{plural}", {}


def _told_version(body: Object) -> None:
    if "gitVersion" not in body:
        raise ValueError("no gitVersion: this is not a Kubernetes API server")


def _discovery(body: Object) -> None:
    if body.get("kind") != KIND:
        raise ValueError(f"{body.get('kind')} in place of {KIND}, which API servers give from 1.26")
