"""Whether the kubelet's probes get past a sidecar. Pure.

Istio, "Health Checking of Istio Services": the injector leads probes by HTTP to its agent, which is not captured.
"""

from typing import Any

from tools.mesh.injection import SIDECAR

Object = dict[str, Any]
_AGENT, _PATH = 15020, "/app-health/"
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def astray(pod: Object) -> list[str]:
    """Probes by HTTP that meet the sidecar, one line each; of a pod without sidecar there are none."""
    spec = pod["spec"]
    if all(each["name"] != SIDECAR for each in [*spec["containers"], *spec.get("initContainers", [])]):
        return []
    return [
        f"{probe} of {each['name']} asks port {asked.get('port')} {asked.get('path', '/')}, not Istio's agent"
        for each in spec["containers"]
        if each["name"] != SIDECAR
        for probe in _PROBES
        if (asked := each.get(probe, {}).get("httpGet"))
        and not (asked.get("port") == _AGENT and str(asked.get("path", "")).startswith(_PATH))
    ]
