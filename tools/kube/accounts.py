"""What a service account may do, asked of the API server itself (SubjectAccessReview); it stores nothing."""

from collections.abc import Iterable

from tools.kube.access import Access, ordered
from tools.kube.client import Kube, Object

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def lacking(kube: Kube, account: str, namespace: str, wanted: Iterable[Access]) -> list[Access]:
    """Which of these an account may not do, in order.

    Args:
        kube: the cluster.
        account: name of the ServiceAccount.
        namespace: its namespace.
        wanted: what it needs.
    """
    return [each for each in ordered(wanted) if not _allowed(kube, account, namespace, each)]


def _allowed(kube: Kube, account: str, namespace: str, access: Access) -> bool:
    attributes = {
        "verb": access.verb,
        "resource": access.resource,
        "group": access.group,
        "namespace": access.namespace,
        "subresource": access.subresource,
    }
    spec: Object = {
        "user": f"system:serviceaccount:{namespace}:{account}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        "resourceAttributes": {key: value for key, value in attributes.items() if value},
    }
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status: Object = kube.request("POST", REVIEWS, None, body).get("status") or {}
    return status.get("allowed") is True
