"""What tells how requests fare: Istio's metrics, a Prometheus, tracing. Pure."""

import yaml

from tools.features.feature import Feature, Settings
from tools.features.reading import Reading, untold
from tools.features.served import served
from tools.features.survey import Survey
from tools.kube.pods import is_ready

# The filter that counts istio_requests_total, as Istio's build of Envoy lists it among its extensions. (In listeners it
# is called istio.stats.)
_FILTER = "envoy.filters.http.istio_stats"
_MANAGED = ("monitoring.googleapis.com", "podmonitorings")


def features(survey: Survey, settings: Settings) -> list[Feature]:
    """`istio-metrics`, `prometheus`, `tracing`."""
    return [_istio_metrics(survey, settings), _prometheus(survey), _tracing(survey, settings)]


def _istio_metrics(survey: Survey, settings: Settings) -> Feature:
    """Configured, and the proxies have the filter: one without the other gives no `istio_requests_total`."""
    name, proxy = "istio-metrics", survey.proxy
    extensions = _extensions(proxy)
    if proxy and proxy.body and extensions and _FILTER not in extensions:
        where = f"{proxy.where}: version, node.extensions"
        return Feature(name, False, f"the proxy has no filter {_FILTER}: {proxy.body.get('version')}", where)
    unread = _unread(survey)
    if unread:
        return untold(name, *unread)
    where = f"{_places(survey)}: defaultProviders.metrics, spec.metrics"
    if not survey.meshes:
        return Feature(name, False, "no istiod", survey.istiods.where)
    providers = _providers(survey, settings, "metrics")
    if not providers:
        return Feature(name, False, "no provider of metrics in the mesh's configuration", where)
    if not proxy or not proxy.body or not extensions:
        why = f": {proxy.problem}" if proxy and proxy.problem else ""
        return Feature(name, True, f"{providers}; by configuration alone, no proxy told its filters{why}", where)
    have = f"{providers}; a proxy has the filter {_FILTER}: {proxy.body.get('version')}"
    return Feature(name, True, have, f"{where}; {proxy.where}: node.extensions")


def _prometheus(survey: Survey) -> Feature:
    name, pods, apis = "prometheus", survey.prometheus_pods, survey.apis
    where = f"{pods.where}; {apis.where}: {_MANAGED[0]}"
    found = [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in pods.items if is_ready(each)]
    if found:
        return Feature(name, True, f"pods {', '.join(found)}", where)
    if apis.body and served(apis.body, *_MANAGED):
        return Feature(name, True, "Google Cloud Managed Service for Prometheus (PodMonitoring is served)", where)
    if pods.problem:
        return untold(name, pods)
    return Feature(name, False, "no ready pod with label app.kubernetes.io/name=prometheus, no managed one", where)


def _tracing(survey: Survey, settings: Settings) -> Feature:
    name = "tracing"
    if unread := _unread(survey):
        return untold(name, *unread)
    where = f"{_places(survey)}: defaultProviders.tracing, spec.tracing"
    providers = _providers(survey, settings, "tracing")
    return Feature(name, bool(providers), providers or "no provider of traces in the mesh's configuration", where)


def _extensions(proxy: Reading | None) -> set[str]:
    server = (proxy.body if proxy else None) or {}
    return {each.get("name", "") for each in server.get("node", {}).get("extensions", [])}


def _unread(survey: Survey) -> list[Reading]:
    return [each for each in (survey.istiods, *survey.meshes, survey.telemetries) if each.problem]


def _places(survey: Survey) -> str:
    return "; ".join(each.where for each in (*survey.meshes, survey.telemetries))


def _providers(survey: Survey, settings: Settings, what: str) -> str:
    """Where a signal of the whole mesh goes, in words: by the mesh's configuration, or by Telemetry of the root."""
    rows = []
    for each in survey.meshes:
        mesh = yaml.safe_load((each.body or {}).get("data", {}).get("mesh", "")) or {}
        if names := (mesh.get("defaultProviders") or {}).get(what):
            rows.append(f"{', '.join(names)} by ConfigMap {each.where.rpartition('/')[2]}")
    for telemetry in survey.telemetries.items:
        meta, spec = telemetry["metadata"], telemetry.get("spec", {})
        names = [provider["name"] for row in spec.get(what, []) for provider in row.get("providers", [])]
        if names and meta["namespace"] == settings.istio_namespace and not spec.get("selector"):
            rows.append(f"{', '.join(names)} by Telemetry {meta['namespace']}/{meta['name']}")
    return "; ".join(rows)
