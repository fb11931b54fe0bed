"""What the controller's own account has to be allowed, asked of the API server (SubjectAccessReview)."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tools.kube.access import Access, missing, ordered
from tools.kube.accounts import allowed
from tools.kube.client import Kube, Object
from tools.kube.kinds import DEPLOYMENT
from tools.kube.platform import Platform
from tools.platform import release
from tools.platform.trouble import Trouble

_AT_ONCE = 8
_LOOK = ("get", "list", "watch")
# What a controller does to its children.
_OWN = (*_LOOK, "create", "update", "delete")
_SERVING, _ROUTING, _RBAC = "serving.kserve.io", "gateway.networking.k8s.io", "rbac.authorization.k8s.io"
_POOL, _OLD_POOL = "inference.networking.k8s.io", "inference.networking.x-k8s.io"


def needed(kserve: str, namespace: str) -> list[Access]:
    """What a release of KServe needs.

    Args:
        kserve: its number; empty if it is not known.
        namespace: the controller's own.
    """
    pools = [*([_POOL] if release.has(kserve, "0.17") else []), *([] if release.has(kserve, "0.20") else [_OLD_POOL])]
    return [
        *_on(_LOOK, "", "configmaps", "pods"),
        *_on(_OWN, "", "secrets", "serviceaccounts", "services"),
        *_on(("create", "patch"), "", "events"),
        *_on(_OWN, "apps", "deployments"),
        *_on(_OWN, _ROUTING, "httproutes"),
        *_on(_LOOK, _ROUTING, "gateways"),
        *(access for group in pools for access in _on(_OWN, group, "inferencepools")),
        *_on(_OWN, _RBAC, "roles", "rolebindings", "clusterrolebindings"),
        *_on((*_LOOK, "update"), _SERVING, "llminferenceservices"),
        *_on(_LOOK, _SERVING, "llminferenceserviceconfigs"),
        Access("update", "llminferenceservices", _SERVING, "", "status"),
        Access("update", "llminferenceservices", _SERVING, "", "finalizers"),
        # It binds system:auth-delegator to each picker, and nobody may grant what he does not have himself.
        Access("create", "tokenreviews", "authentication.k8s.io"),
        Access("create", "subjectaccessreviews", "authorization.k8s.io"),
        *_on(("get", "create", "update"), "coordination.k8s.io", "leases", namespace=namespace),
    ]


def account(deployment: Object) -> str:
    """The user that a Deployment's pods are to the API server."""
    name = deployment["spec"]["template"]["spec"].get("serviceAccountName", "default")
    return f"system:serviceaccount:{deployment['metadata']['namespace']}:{name}"


def denied(kube: Kube, user: str, wanted: Iterable[Access]) -> list[Access]:
    """Which of these the user may not."""
    asked = ordered(wanted)

    def ask(access: Access) -> bool:
        return allowed(kube, user, access)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [access for access, may in zip(asked, pool.map(ask, asked), strict=True) if not may]


def trouble(platform: Platform) -> list[Trouble]:
    """Rights that the controller lacks, each named."""
    found = platform.kube.find(DEPLOYMENT, platform.controller.name, platform.controller.namespace)
    if found is None:
        return []  # that is told by itself
    wanted = needed(release.version(found), platform.controller.namespace)
    return lacking(platform.kube, found, wanted, "its ClusterRole lacks them, or is not bound to this account")


def lacking(kube: Kube, deployment: Object, wanted: Iterable[Access], cause: str) -> list[Trouble]:
    """The same for rights that are given."""
    user = account(deployment)
    found = denied(kube, user, wanted)
    if not found:
        return []
    question = kube.kubectl("auth", "can-i", found[0].verb, _resource(found[0]), "--all-namespaces", f"--as={user}")
    rows = [line.strip() for line in missing(found).splitlines()]
    return [Trouble(f"{user} may not {row}", cause, question) for row in rows]


def _on(verbs: Iterable[str], group: str, *resources: str, namespace: str = "") -> Iterator[Access]:
    kept = tuple(verbs)
    return (Access(verb, resource, group, namespace) for resource in resources for verb in kept)


def _resource(access: Access) -> str:
    name = f"{access.resource}.{access.group}" if access.group else access.resource
    return f"{name}/{access.subresource}" if access.subresource else name
