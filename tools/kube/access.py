"""What the user may do on a cluster, asked of the API server itself, all of it at once."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import yaml

from tools.errors import UserError
from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError

_Key = TypeVar("_Key", bound=tuple[str, ...])

_AT_ONCE = 8
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Access:
    """One thing that a user may do or not.

    Attributes:
        verb: `get`, `list`, `watch`, `create`, `patch`, `update`, `delete`, …
        resource: plural, for example `pods`; or a path of the API server, for example `/metrics`.
        group: API group; empty is the core one.
        namespace: empty means in all namespaces, or a resource without namespaces.
        subresource: for example `exec`.
    """

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    subresource: str = ""

    @property
    def is_path(self) -> bool:
        """Whether it is about a path of the API server and not about objects."""
        return self.resource.startswith("/")


@dataclass(frozen=True)
class Permissions:
    """The API server's answers.

    Attributes:
        user: what asks, as the API server knows it; empty if it does not say.
        allowed: what may be done.
        denied: what may not, with the API server's reason (often empty).
    """

    user: str
    allowed: frozenset[Access]
    denied: Mapping[Access, str]

    def lacking(self, wanted: Iterable[Access]) -> list[Access]:
        """Which of these are not allowed, in order; one that was not asked for counts as not allowed."""
        return ordered(set(wanted) - self.allowed)


def review(kube: Kube, wanted: Iterable[Access]) -> Permissions:
    """Ask whether each may be done.

    One review each, several at a time: the API has no other way that tells the truth for every authorizer, since the
    list of rules (SelfSubjectRulesReview) may be incomplete.

    Raises:
        KubeError: the API server did not answer, or does not let this user ask.
    """
    asked = ordered(wanted)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(partial(_ask, kube), asked))
    allowed = frozenset(each for each, status in zip(asked, answers, strict=True) if status.get("allowed") is True)
    denied = {
        each: str(status.get("reason") or status.get("evaluationError") or "")
        for each, status in zip(asked, answers, strict=True)
        if each not in allowed
    }
    return Permissions(_user(kube), allowed, denied)


def require(kube: Kube, found: Permissions, wanted: Iterable[Access], purpose: str, ready: str = "") -> None:
    """Demand rights before anything is begun, all of the missing ones at once.

    Args:
        kube: the cluster, for the commands in the message.
        found: what `review` answered.
        wanted: what is needed.
        purpose: what it is needed for, as in "the rights to …".
        ready: file of a role that has them all; empty if there is none.

    Raises:
        UserError: with the missing ones, as questions to kubectl and as roles for whoever can grant them.
    """
    if lacking := found.lacking(wanted):
        who = found.user or "this user"
        steps = [*questions(kube, lacking), *yaml.safe_dump_all(roles(lacking), default_flow_style=None).splitlines()]
        raise UserError(
            f"the rights to {purpose}",
            f"{who} lacks {len(lacking)} of them:\n{missing(lacking)}",
            cause="; ".join(sorted({reason for each in lacking if (reason := found.denied.get(each, ""))})),
            next_step=f"have them granted by {f'{ready}, or by ' if ready else ''}the roles below, bound to {who}, "
            "and ask again:\n" + "\n".join(f"    {line}" for line in steps),
        )


def questions(kube: Kube, wanted: Iterable[Access]) -> list[str]:
    """Shell lines that ask kubectl the same, one for each resource."""
    return [
        f"for verb in {' '.join(verbs)}; do {kube.kubectl('auth', 'can-i')} $verb {shlex.join(about)}; done"
        for about, verbs in _together(wanted, _as_kubectl).items()
    ]


def missing(lacking: Sequence[Access]) -> str:
    """Rights by what they are about, one line each: `create, delete pods in ns`."""
    return "\n".join(
        f"    {', '.join(verbs)} {' in '.join(part for part in about if part)}"
        for about, verbs in _together(lacking, _in_words).items()
    )


def roles(wanted: Iterable[Access], name: str = "llmisvc-conformance") -> list[Object]:
    """A ClusterRole for what is needed everywhere, and a Role for each namespace with more; nothing beyond."""
    by_namespace: dict[str, list[Access]] = {}
    for each in ordered(wanted):
        by_namespace.setdefault(each.namespace, []).append(each)
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role" if namespace else "ClusterRole",
            "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
            "rules": rules(accesses),
        }
        for namespace, accesses in by_namespace.items()
    ]


def rules(wanted: Iterable[Access]) -> list[Object]:
    """Rules of a role that grant this and no more, resources with the same verbs together."""
    verbs = _together(wanted, lambda each: (each.group, _path(each)))
    together: dict[tuple[str, bool, tuple[str, ...]], list[str]] = {}
    for (group, resource), given in verbs.items():
        together.setdefault((group, resource.startswith("/"), tuple(dict.fromkeys(given))), []).append(resource)
    return [
        {"nonResourceURLs": resources, "verbs": list(given)}
        if is_path
        else {"apiGroups": [group], "resources": resources, "verbs": list(given)}
        for (group, is_path, given), resources in together.items()
    ]


def ordered(wanted: Iterable[Access]) -> list[Access]:
    """Each once, as a person would sort them: what is needed everywhere first, reading before writing."""
    return sorted(set(wanted), key=_place)


def _place(access: Access) -> tuple[str, str, str, str, int, str]:
    verb = _VERBS.index(access.verb) if access.verb in _VERBS else len(_VERBS)
    return access.namespace, access.group, access.resource, access.subresource, verb, access.verb


def attributes(access: Access) -> dict[str, str]:
    """An access to a resource as access reviews ask for it: `resourceAttributes`, without what is empty."""
    found = {
        "verb": access.verb,
        "resource": access.resource,
        "group": access.group,
        "namespace": access.namespace,
        "subresource": access.subresource,
    }
    return {key: value for key, value in found.items() if value}


def _ask(kube: Kube, access: Access) -> Object:
    if access.is_path:
        spec: Object = {"nonResourceAttributes": {"verb": access.verb, "path": access.resource}}
    else:
        spec = {"resourceAttributes": attributes(access)}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    status: Object = kube.request("POST", _REVIEWS, None, body).get("status") or {}
    return status


def _user(kube: Kube) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        found = kube.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", None, body)
    except KubeError:
        return ""  # only for messages
    return str(found.get("status", {}).get("userInfo", {}).get("username", ""))


def _together(wanted: Iterable[Access], key: Callable[[Access], _Key]) -> dict[_Key, list[str]]:
    """The verbs of those that have the same key, in order."""
    found: dict[_Key, list[str]] = {}
    for each in ordered(wanted):
        found.setdefault(key(each), []).append(each.verb)
    return found


def _path(access: Access) -> str:
    return f"{access.resource}/{access.subresource}" if access.subresource else access.resource


def _in_words(access: Access) -> tuple[str, str]:
    group = f".{access.group}" if access.group else ""
    subresource = f"/{access.subresource}" if access.subresource else ""
    return f"{access.resource}{group}{subresource}", access.namespace


def _as_kubectl(access: Access) -> tuple[str, ...]:
    words = [f"{access.resource}.{access.group}" if access.group else access.resource]
    words += [f"--subresource={access.subresource}"] if access.subresource else []
    words += [f"--namespace={access.namespace}"] if access.namespace else []
    # Without it kubectl would ask about the context's own namespace.
    words += ["--all-namespaces"] if not access.namespace and not access.is_path else []
    return tuple(words)
