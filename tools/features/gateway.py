"""GatewayClasses, and whether Istio serves InferencePools. Pure."""

from tools.features.controllers import istio_version
from tools.features.feature import Feature, Settings
from tools.features.reading import Object, untold
from tools.features.survey import Survey
from tools.features.version import at_least

_FLAGS = ("ENABLE_GATEWAY_API_INFERENCE_EXTENSION", "SUPPORT_GATEWAY_API_INFERENCE_EXTENSION")
# Newest first: from which version of Istio which pools are understood, if the flag is on. 1.26 has no flag.
_POOLS = (("1.28", "v1"), ("1.27", "v1alpha2"))
# The first version whose default is not known; before it the flag is off.
_DEFAULT_UNKNOWN = "1.32"


def features(survey: Survey, settings: Settings) -> list[Feature]:
    """`gateway-class`, `istio-inference`."""
    return [_gateway_class(survey, settings), _istio_inference(survey, settings)]


def pools(version: str) -> str:
    """The InferencePool version that this version of Istio understands; empty if it knows none."""
    return next((pool for least, pool in _POOLS if at_least(version, least)), "")


def _gateway_class(survey: Survey, settings: Settings) -> Feature:
    name, reading, wanted = "gateway-class", survey.gateway_classes, settings.gateway_class
    if reading.problem:
        return untold(name, reading)
    where = f"{reading.where}: spec.controllerName, status.conditions[Accepted]"
    found = {each["metadata"]["name"]: each for each in reading.items}
    others = "; ".join(_class(each) for class_name, each in sorted(found.items()) if class_name != wanted)
    rest = f"; others: {others}" if others else ""
    if wanted not in found:
        return Feature(name, False, f"no GatewayClass {wanted}{rest}", where)
    return Feature(name, True, _class(found[wanted]) + rest, where)


def _class(found: Object) -> str:
    conditions = found.get("status", {}).get("conditions", [])
    accepted = next((row["status"] for row in conditions if row["type"] == "Accepted"), "unknown")
    return f"{found['metadata']['name']} by {found['spec']['controllerName']}, Accepted {accepted}"


def _istio_inference(survey: Survey, settings: Settings) -> Feature:
    name, istiods = "istio-inference", survey.istiods
    if istiods.problem:
        return untold(name, istiods)
    if not istiods.items:
        return Feature(name, False, "no istiod", istiods.where)
    where = f"{istiods.where}: env {' or '.join(_FLAGS)}, and the version of Istio"
    version = istio_version(survey, settings)
    flags = {each["metadata"]["name"]: flag for each in istiods.items if (flag := _flag(each))}
    said = "; ".join(f"{flag} in {deployment}" for deployment, flag in sorted(flags.items())) or "no flag set"
    if not any(flag.endswith("=true") for flag in flags.values()):
        known = flags or (version and not at_least(version, _DEFAULT_UNKNOWN))
        have = said if flags else f"{said}: off by default before Istio {_DEFAULT_UNKNOWN}"
        return Feature(name, False if known else None, f"{have}; Istio {version or 'of unknown version'}", where)
    if not version:
        return Feature(name, True, f"{said}; which pools is not known: Istio of unknown version", where)
    understood = pools(version)
    have = f"InferencePool {understood} only" if understood else "this version knows no InferencePool"
    return Feature(name, bool(understood), f"{said}; Istio {version}: {have}", where)


def _flag(deployment: Object) -> str:
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for each in container.get("env", []):
            if each["name"] in _FLAGS:
                return f"{each['name']}={str(each.get('value', '')).lower()}"
    return ""
