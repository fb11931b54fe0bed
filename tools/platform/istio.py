"""Istio as the gateway: its class is accepted, and it is told to understand InferencePools."""

from tools.kube.client import Object
from tools.kube.conditions import conditions, lacking
from tools.kube.kinds import DEPLOYMENT, GATEWAY_CLASS
from tools.kube.platform import Platform
from tools.platform import controllers
from tools.platform.trouble import Trouble

SWITCH = "ENABLE_GATEWAY_API_INFERENCE_EXTENSION"
# Newer documents have this name for the same.
_SWITCHES = (SWITCH, "SUPPORT_GATEWAY_API_INFERENCE_EXTENSION")
_CONTROLLERS = "istio.io/"


def class_trouble(platform: Platform) -> list[Trouble]:
    """What is wrong with the GatewayClass that the profile names."""
    kube, name = platform.kube, platform.gateway_class
    show = kube.kubectl("get", GATEWAY_CLASS.resource, "-o", "wide")
    found = kube.find(GATEWAY_CLASS, name)
    if found is None:
        there = ", ".join(sorted(each["metadata"]["name"] for each in kube.objects(GATEWAY_CLASS))) or "none"
        cause = f"istiod, which registers it, has not run here, or the profile names another; there are {there}"
        return [Trouble(f"there is no GatewayClass {name}", cause, show)]
    wrong = []
    if (controller := found["spec"]["controllerName"]) != platform.gateway_controller:
        cause = "another product took the name, or the profile names another controller"
        seen = f"GatewayClass {name} is of {controller}, not of {platform.gateway_controller}"
        wrong.append(Trouble(seen, cause, show))
    cause = f"{platform.gateway_controller} does not run, or does not know the class: no Gateway of it is programmed"
    return wrong + [Trouble(f"GatewayClass {name}: {line}", cause, show)
                    for line in lacking(conditions(found), ["Accepted"])]  # fmt: skip


def switch_trouble(platform: Platform) -> list[Trouble]:
    """Control planes, and pods of them, that do not have the switch for InferencePools on."""
    kube, place = platform.kube, platform.istiod
    found = kube.find(DEPLOYMENT, place.name, place.namespace)
    if found is None or not platform.gateway_controller.startswith(_CONTROLLERS):
        return []
    command = kube.kubectl("-n", place.namespace, "set", "env", f"deployment/{place.name}", f"{SWITCH}=true")
    cause = (
        "Istio routes to InferencePools only with it (off by default): HTTPRoutes get ResolvedRefs=False,"
        " InvalidKind, and every completion is 500 or 404"
    )
    templates = [(f"Deployment {place}", found["spec"]["template"])]
    templates += [(f"pod {pod['metadata']['name']}", pod) for pod in controllers.of(kube, found)]
    return [
        Trouble(f"istiod, {what}: {said}", cause, command) for what, each in templates if (said := _switched_off(each))
    ]


def _switched_off(template: Object) -> str:
    """What it says in place of `true`; empty where it is on. Pure."""
    said = {
        each["name"]: str(each.get("value", ""))
        for container in template["spec"]["containers"]
        for each in container.get("env", [])
        if each["name"] in _SWITCHES
    }
    if any(value.lower() == "true" for value in said.values()):
        return ""
    return "; ".join(f"{name} is {value!r}" for name, value in said.items()) or f"{SWITCH} is not set"
