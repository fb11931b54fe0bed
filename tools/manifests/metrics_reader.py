"""A service account that may read the picker's metrics: they are closed to strangers. Pure."""

from collections.abc import Mapping
from typing import Any

from tools.manifests import Document

METRICS_READER = "metrics-reader"
_RBAC = "rbac.authorization.k8s.io"


def metrics_reader(namespace: str, labels: Mapping[str, str]) -> list[Document]:
    """A service account that may read the picker's metrics, as a Prometheus would have it."""
    name = f"{namespace}-{METRICS_READER}"
    meta: dict[str, Any] = {"labels": dict(labels)}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": METRICS_READER, "namespace": namespace, **meta},
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name, **meta},
            "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}],
        },
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name, **meta},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": METRICS_READER, "namespace": namespace}],
        },
    ]
