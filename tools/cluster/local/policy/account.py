"""The agent's account: it reads policies, pods and namespaces, of which the API server tells it, and nothing else."""

from typing import Any

from tools.cluster.local.policy.objects import FOLLOWED

USER = "llmisvc-local-cluster:policy-agent"
KUBECONFIG = "policy-agent.conf"
_NAME = "local-cluster:policy-agent"


def context(cluster: str) -> str:
    """The context that kubeadm gives this user's kubeconfig."""
    return f"{USER}@{cluster}"


def documents() -> list[dict[str, Any]]:
    """What lets the account read."""
    group = "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": [kind.api.rpartition("/")[0]], "resources": [kind.plural], "verbs": ["list", "watch"]}
        for kind in FOLLOWED
    ]
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": _NAME}, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _NAME},
        "roleRef": {"kind": "ClusterRole", "name": _NAME, "apiGroup": group},
        "subjects": [{"kind": "User", "name": USER, "apiGroup": group}],
    }
    return [role, binding]
