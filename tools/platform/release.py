"""Which KServe is installed, and what that release brings and needs. Pure."""

from typing import Any

from tools.features.controllers import image
from tools.features.version import at_least, guess, tag

Object = dict[str, Any]

_VERSION_LABEL = "app.kubernetes.io/version"


def version(deployment: Object | None) -> str:
    """The release that a controller's Deployment is of, by image or label; empty if neither says so."""
    if deployment is None:
        return ""
    labels = deployment["metadata"].get("labels") or {}
    return guess(tag(image(deployment))) or guess(labels.get(_VERSION_LABEL, ""))


def has(kserve: str, least: str) -> bool:
    """Whether a release is this one or newer; one that is not known is taken for the newest."""
    return not kserve or at_least(kserve, least)


def serves(kserve: str) -> tuple[str, ...]:
    """Versions in which LLMInferenceServices are served."""
    return ("v1alpha1", "v1alpha2") if has(kserve, "0.17") else ("v1alpha1",)


def environment(deployment: Object | None) -> dict[str, str]:
    """Literal environment variables of all containers of a Deployment."""
    containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else []
    return {
        each["name"]: str(each.get("value", ""))
        for container in containers
        for each in container.get("env", [])
        if "valueFrom" not in each
    }
