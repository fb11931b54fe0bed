"""What a service account may do, asked of the API server itself (SubjectAccessReview); it stores nothing."""

from collections.abc import Iterable

from tools.kube.access import Access, attributes, ordered
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
    user = f"system:serviceaccount:{namespace}:{account}"
    return [each for each in ordered(wanted) if not allowed(kube, user, each)]


def allowed(kube: Kube, user: str, access: Access) -> bool:
    """Whether a service account, as `system:serviceaccount:NAMESPACE:NAME`, may do this."""
    namespace = user.split(":")[2]
    spec: Object = {
        "user": user,
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        "resourceAttributes": attributes(access),
    }
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    status: Object = kube.request("POST", REVIEWS, None, body).get("status") or {}
    return status.get("allowed") is True
