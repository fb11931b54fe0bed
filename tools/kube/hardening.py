"""What containers may do beyond what Pod Security's `restricted` allows. Pure.

Kubernetes, "Pod Security Standards". What the platform adds is told apart, because no setting of the service changes
it: without Istio's CNI plugin its set-up (`istio-init`) is root with NET_ADMIN.
"""

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

# Of Istio, and of KServe's controller, which makes the download's container without any securityContext (0.19).
ADDED = ("istio-init", "istio-validation", "istio-proxy", "storage-initializer")
_SECCOMP = ("RuntimeDefault", "Localhost")
_HOST = ("hostNetwork", "hostPID", "hostIPC")


def trouble(pod: Object) -> list[str]:
    """What a pod's own containers have that `restricted` forbids, one line each; what the platform adds is left out."""
    spec = pod["spec"]
    lines = [f"{key} is true" for key in _HOST if spec.get(key)]
    lines += [f"volume {each['name']} is a path of the node" for each in spec.get("volumes", []) if "hostPath" in each]
    of_pod = spec.get("securityContext") or {}
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        if container["name"] not in ADDED:
            lines += [f"{container['name']}: {line}" for line in _of_container(container, of_pod)]
    return lines


def added(pod: Object) -> list[str]:
    """Containers that the platform adds and that are not `restricted`, by name with what they are."""
    spec = pod["spec"]
    of_pod = spec.get("securityContext") or {}
    found = [*spec.get("initContainers", []), *spec["containers"]]
    return [
        f"{each['name']} ({'; '.join(lines)})"
        for each in found
        if each["name"] in ADDED and (lines := [*_of_container(each, of_pod)])
    ]


def _of_container(container: Object, of_pod: Object) -> Iterator[str]:
    own = container.get("securityContext") or {}
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "it is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in capabilities.get("drop", []):
        yield "it keeps capabilities (drop lacks ALL)"
    if added := sorted({*capabilities.get("add", [])} - {"NET_BIND_SERVICE"}):
        yield f"it has capabilities {', '.join(added)}"
    if own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if own.get("runAsUser", of_pod.get("runAsUser")) == 0:
        yield "runAsUser is 0"
    seccomp = (own.get("seccompProfile") or of_pod.get("seccompProfile") or {}).get("type")
    if seccomp not in _SECCOMP:
        yield f"seccomp is {seccomp or 'not set'}"
