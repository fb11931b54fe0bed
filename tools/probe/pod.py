"""A pod of agnhost that probes or is probed: small, without rights, on any node, and never in the mesh. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]

# A sidecar would answer, and ask, in the place of the pod.
UNMESHED = {"sidecar.istio.io/inject": "false"}
_SHIFTS = "openshift.io/sa.scc.uid-range"
_USER = 65532


def user_of(namespace: Object) -> dict[str, int]:
    """The part of a security context that says which user; OpenShift gives every namespace users of its own."""
    return {} if _SHIFTS in (namespace["metadata"].get("annotations") or {}) else {"runAsUser": _USER}


def probe_pod(
    metadata: Object,
    image: str,
    arguments: Sequence[str],
    *,
    user: Mapping[str, int],
    memory: str = "64Mi",
    container: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> Object:
    """The pod.

    Args:
        metadata: its name, namespace and labels.
        image: agnhost.
        arguments: of agnhost.
        user: from `user_of`.
        memory: limit.
        container, spec: more of its container, and of its spec.
    """
    labels = {**UNMESHED, **metadata.get("labels", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            # Nodes with accelerators are tainted, and there may be no others.
            "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
            "containers": [
                {
                    "name": "agnhost",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "args": list(arguments),
                    "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": memory}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                        "runAsNonRoot": True,
                        "seccompProfile": {"type": "RuntimeDefault"},
                        **user,
                    },
                    **(container or {}),
                }
            ],
            **(spec or {}),
        },
    }
