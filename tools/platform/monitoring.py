"""Monitoring that is taken for granted: a controller that makes ServiceMonitors needs their definitions. Pure."""

from tools.features.controllers import image
from tools.kube.client import Object
from tools.platform import release

KINDS = ("servicemonitors.monitoring.coreos.com", "podmonitors.monitoring.coreos.com")
_SWITCH = "LLMISVC_MONITORING_DISABLED"
# Only OpenShift AI's build makes monitors; upstream KServe never does.
_BUILD = "odh-"


def trouble(deployment: Object | None, missing: list[str]) -> str:
    """What a controller will fail on; empty if nothing.

    Args:
        deployment: KServe's.
        missing: those of KINDS that are not defined.
    """
    said = release.environment(deployment).get(_SWITCH)
    makes = deployment is not None and (said is not None or _BUILD in image(deployment))
    if not makes or not missing or (said or "").lower() == "true":
        return ""
    return f"{_SWITCH} is {said or 'not set'}, and there is no {' and no '.join(missing)}"
