"""Names of metrics of Istio's proxies and control plane, and their ports.

Source: Envoy's documentation of statistics, with the prefix `envoy_` that its Prometheus format has; `monitoring.go` of
istiod, 1.24 to 1.31.
"""

from collections.abc import Mapping

# Of a gateway's pod: the agent's own with Envoy's, and Envoy's alone.
AGENT_PORT, ENVOY_PORT = 15020, 15090
PATH = "/stats/prometheus"
ISTIOD_PORT = 15014

# Each by one of its names; all of these count from a proxy's start on, whatever traffic it has.
PROXY: Mapping[str, tuple[str, ...]] = {
    "uptime": ("envoy_server_uptime",),
    "configuration of clusters taken": ("envoy_cluster_manager_cds_update_success",),
    "configuration of listeners taken": ("envoy_listener_manager_lds_update_success",),
    "clusters": ("envoy_cluster_manager_active_clusters",),
}
# What it only has after a change, as pilot_proxy_convergence_time, is not asked for: it may have been started just now.
ISTIOD: Mapping[str, tuple[str, ...]] = {
    "version": ("istio_build",),
    "connected proxies": ("pilot_xds",),
    "pushes": ("pilot_xds_pushes",),
}
# Istio's standard metric of requests; upstream builds of Envoy have no filter that counts it.
REQUESTS = ("istio_requests_total",)
