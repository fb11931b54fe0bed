"""Who may ask a pod, and which AuthorizationPolicy says so. Pure.

Istio, "AuthorizationPolicy": the actions are looked at in the order CUSTOM, DENY, ALLOW. Any DENY that matches refuses.
Without an ALLOW for the pod everybody may; with one, only whom a rule of any of them matches. So an ALLOW without rules
lets nobody, and a DENY without rules refuses nobody. What is refused is 403 `RBAC: access denied`, and no answer says
by which policy: that is told here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.mesh.rules import Asking, Fit, fits

Object = dict[str, Any]

DENIED = "RBAC: access denied"
_DRY_RUN = "istio.io/dry-run"


class Ruling(StrEnum):
    """What becomes of a request.

    Attributes:
        ALLOWED, DENIED: by what policies say.
        UNTOLD: they do not tell alone: an external authorizer decides, or what the request has besides.
    """

    ALLOWED = "allowed"
    DENIED = "denied"
    UNTOLD = "untold"


@dataclass(frozen=True)
class Ruled:
    """A ruling, with what says so.

    Attributes:
        ruling: what becomes of the request.
        source: the policies, in words.
    """

    ruling: Ruling
    source: str

    def __str__(self) -> str:
        return f"{self.ruling}: {self.source}"


def selecting(policies: Iterable[Object], pod: Object, root: str) -> list[Object]:
    """Policies that are enforced by a pod's sidecar, if it has one.

    Args:
        policies: AuthorizationPolicies of the pod's namespace and of the root namespace; others do not count.
        pod: whose.
        root: Istio's root namespace; its policies are for all namespaces, with a selector too.
    """
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    namespaces = {root, pod["metadata"]["namespace"]}
    return [each for each in policies if each["metadata"]["namespace"] in namespaces and _selects(each, labels)]


def ruled(policies: Iterable[Object], pod: Object, asking: Asking, root: str) -> Ruled:
    """What becomes of a request to a pod.

    Args:
        policies: AuthorizationPolicies of the pod's namespace and of the root namespace.
        pod: who is asked.
        asking: the request.
        root: Istio's root namespace.
    """
    found = selecting(policies, pod, root)
    if delegated := [each for each in _of(found, "CUSTOM") if _fit(each, asking) is not Fit.NO]:
        return Ruled(Ruling.UNTOLD, f"the authorizer that {_named(delegated)} names decides")
    denying = _of(found, "DENY")
    if refusing := [each for each in denying if _fit(each, asking) is Fit.YES]:
        return Ruled(Ruling.DENIED, f"{_named(refusing)} denies {asking}")
    if maybe := [each for each in denying if _fit(each, asking) is Fit.UNTOLD]:
        return Ruled(Ruling.UNTOLD, f"{_named(maybe)} denies {asking} under conditions")
    allowing = _of(found, "ALLOW")
    if not allowing:
        return Ruled(Ruling.ALLOWED, "no AuthorizationPolicy selects the pod, so everybody may")
    if letting := [each for each in allowing if _fit(each, asking) is Fit.YES]:
        return Ruled(Ruling.ALLOWED, f"{_named(letting)} allows {asking}")
    if maybe := [each for each in allowing if _fit(each, asking) is Fit.UNTOLD]:
        return Ruled(Ruling.UNTOLD, f"{_named(maybe)} allows {asking} under conditions")
    empty = [each for each in allowing if not each.get("spec", {}).get("rules")]
    why = f"; without rules {_named(empty)} allows nobody" if empty else ""
    return Ruled(Ruling.DENIED, f"no rule of {_named(allowing)} allows {asking}{why}")


def vain(policies: Iterable[Object], pod: Object, root: str) -> list[str]:
    """Policies that select a pod without a sidecar, one line each: nobody enforces them there."""
    name = pod["metadata"]["name"]
    return [
        f"{_named([each])} selects {name} by its labels, which has no sidecar: nobody enforces it there"
        for each in selecting(policies, pod, root)
        if each.get("spec", {}).get("selector")
    ]


def _of(policies: Iterable[Object], action: str) -> list[Object]:
    """Those of an action that are in force: with the annotation for dry runs, a policy is only logged."""
    return [
        each
        for each in policies
        if each.get("spec", {}).get("action", "ALLOW") == action
        and (each["metadata"].get("annotations") or {}).get(_DRY_RUN) != "true"
    ]


def _fit(policy: Object, asking: Asking) -> Fit:
    home = policy["metadata"]["namespace"]
    return Fit.any_of(fits(rule, asking, home) for rule in policy.get("spec", {}).get("rules") or [])


def _selects(policy: Object, labels: Mapping[str, str]) -> bool:
    spec = policy.get("spec", {})
    # Those are for Gateways and waypoints, never for a sidecar.
    if spec.get("targetRefs") or spec.get("targetRef"):
        return False
    wanted = (spec.get("selector") or {}).get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def _named(policies: Iterable[Object]) -> str:
    names = [f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in policies]
    return f"AuthorizationPolicy {', '.join(names)}"
