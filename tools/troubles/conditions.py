"""Why a LLMInferenceService is not Ready, by the conditions that do not hold. Pure."""

import re
from dataclasses import dataclass

from tools.kube.client import Object
from tools.kube.conditions import conditions


@dataclass(frozen=True)
class Told:
    """A cause that a condition tells.

    Attributes:
        cause: in words.
        log: whether the controller's log tells more; else the service's own description does.
    """

    cause: str
    log: bool = False


# Condition, a pattern of its reason and message, and what it means; the first that fits counts.
_MEANINGS = (
    (
        "PresetsCombined",
        r"not found",
        "a configuration that the service is made of is missing: KServe's presets are not installed (the chart"
        " kserve-runtime-configs with kserve.llmisvcConfigs.enabled=true), or spec.baseRefs has a wrong name",
    ),
    ("PresetsCombined", r"", "the specification does not fit KServe's presets"),
    ("GatewaysReady", r"does not exist", "spec.router.gateway.refs names a Gateway that does not exist"),
    ("GatewaysReady", r"", "the Gateway is not Programmed: istiod does not run, or its class is not Istio's"),
    (
        "HTTPRoutesReady",
        r"does not exist|non-existent",
        "the route was not made or not attached: its Gateway does not exist (KServe's default is"
        " kserve/kserve-ingress-gateway), and KServe makes neither route nor picker before it does",
    ),
    (
        "HTTPRoutesReady",
        r"InferencePool|InvalidKind",
        "the Gateway's controller knows no InferencePools: Istio 1.28 or later with"
        " ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true is needed",
    ),
    (
        "HTTPRoutesReady",
        r"NotAllowedByListeners|not allowed",
        "the Gateway's listeners take no routes of this namespace (allowedRoutes)",
    ),
    ("HTTPRoutesReady", r"ReconcileError|forbidden", "the controller could not make the route"),
    ("HTTPRoutesReady", r"", "no Gateway has accepted the route"),
    ("InferencePoolReady", r"", "no Gateway has accepted the pool: its route is not attached, or Istio knows no pools"),
    ("SchedulerWorkloadReady", r"Reconcile", "the controller could not make the endpoint picker"),
    ("MainWorkloadReady", r"Reconcile", "the controller could not make the servers' Deployment"),
)
_CONTROLLERS = re.compile(r"Reconcile\w*Error|forbidden")


def explain(found: Object) -> Told | None:
    """The cause that a service's conditions tell; None where they tell none.

    Args:
        found: the LLMInferenceService.
    """
    observed = found.get("status", {}).get("observedGeneration")
    if observed != found["metadata"]["generation"]:
        return Told("KServe's controller for LLMInferenceServices does not run, or fails on this one", log=True)
    wrong = {name: each for name, each in conditions(found).items() if each.status != "True"}
    for name, pattern, cause in _MEANINGS:
        if name in wrong and wrong[name].status == "False":
            text = f"{wrong[name].reason} {wrong[name].message}"
            if re.search(pattern, text):
                return Told(cause, log=bool(_CONTROLLERS.search(text)))
    return None
