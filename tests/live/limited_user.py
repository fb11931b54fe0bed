"""A user who may only manage one namespace, with a kubeconfig of his own."""

from pathlib import Path

import yaml

from tools.cluster.provider import ClusterAccess
from tools.kube.client import Kube

_NAME = "limited"


def limited_kubeconfig(access: ClusterAccess, namespace: str, directory: Path) -> Path:
    """Make the user, by a service account with every right in a namespace and none beyond, and his kubeconfig."""
    kube = Kube(access.kubeconfig, access.context)
    meta = {"name": _NAME, "namespace": namespace}
    group = "rbac.authorization.k8s.io"
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    subject = {"kind": "ServiceAccount", "name": _NAME, "namespace": namespace}
    kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    kube.apply({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [everything]})
    kube.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": _NAME},
            "subjects": [subject],
        }
    )
    found = yaml.safe_load(access.kubeconfig.read_text())
    user = {"name": _NAME, "user": {"token": kube.token(_NAME, namespace)}}
    context = {"name": _NAME, "context": {"cluster": found["clusters"][0]["name"], "user": _NAME}}
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(found | {"users": [user], "contexts": [context], "current-context": ""}))
    return path
