"""Whether Istio injects a sidecar into a pod, and why not: labels of namespace and pod against the webhooks. Pure.

As in Istio's "Controlling the injection policy" and "Safely upgrade the control plane with revision tags".
"""

from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]

INJECTION, REVISION, INJECT = "istio-injection", "istio.io/rev", "sidecar.istio.io/inject"
SIDECAR = "istio-proxy"
_DEFAULT = "default"


def revisions(injectors: Iterable[Object]) -> frozenset[str]:
    """Revisions and revision tags that somebody answers for.

    Args:
        injectors: MutatingWebhookConfigurations with label `app=sidecar-injector`.
    """
    labels: list[Mapping[str, str]] = [each["metadata"].get("labels", {}) for each in injectors if each.get("webhooks")]
    named = {value for each in labels for key in (REVISION, "istio.io/tag") if (value := each.get(key))}
    return frozenset(named)


def lacking(namespace: Object, labels: Mapping[str, str], known: frozenset[str]) -> str:
    """Why a pod that is made now gets no sidecar; empty if it gets one.

    Args:
        namespace: its namespace.
        labels: of the pod.
        known: `revisions`.
    """
    of_namespace: Mapping[str, str] = namespace["metadata"].get("labels", {})
    where = f"namespace {namespace['metadata']['name']}"
    asked, inject = of_namespace.get(INJECTION, ""), labels.get(INJECT, "")
    # Both labels at once: istio-injection counts, and the revision is not looked at.
    revision = labels.get(REVISION) or ("" if asked else of_namespace.get(REVISION, ""))
    if inject == "false":
        return f'the pod opts out by label {INJECT}: "false"'
    if asked == "disabled":
        return f"{where} has label {INJECTION}=disabled"
    if not (asked == "enabled" or revision or inject == "true"):
        return f"{where} has neither label {INJECTION}=enabled nor {REVISION}"
    wanted = revision or _DEFAULT
    if wanted not in known:
        there = ", ".join(sorted(known)) or "none"
        return f"nobody injects for revision or tag {wanted}, which {where} or the pod asks for (there is: {there})"
    return ""


def contradictions(namespace: Object) -> list[str]:
    """Labels of a namespace that do not go together, one line each."""
    labels: Mapping[str, str] = namespace["metadata"].get("labels", {})
    if INJECTION in labels and REVISION in labels:
        name = namespace["metadata"]["name"]
        return [
            f"namespace {name} has {INJECTION}={labels[INJECTION]} and {REVISION}={labels[REVISION]}:"
            " the first counts, and the revision is not looked at"
        ]
    return []


def image(pod: Object) -> str:
    """The image of a pod's sidecar; empty if it has none. An init container is one, too."""
    spec = pod["spec"]
    found = [*spec["containers"], *spec.get("initContainers", [])]
    return next((str(each["image"]) for each in found if each["name"] == SIDECAR), "")
