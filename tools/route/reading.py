"""What the route of a service must be made of, read from the service, from KServe's configuration and version."""

import json
from dataclasses import dataclass
from itertools import product

from tools.features.version import guess, tag
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.kinds import CONFIG_MAP, DEPLOYMENT
from tools.kube.llm_service import LlmService
from tools.route.compare import Difference, differences
from tools.route.expected import (
    MODEL_HEADER,
    POOL_GROUP,
    VERSIONS,
    Backend,
    Routed,
    Rule,
    expected_rules,
    minor,
    routes_by_header,
)

# KServe's own configuration, in the namespace of its controller.
_CONFIG = "inferenceservice-config"
_OFF = "serving.kserve.io/model-based-routing-enabled"


@dataclass(frozen=True)
class Installed:
    """What is installed, as far as this user may read it.

    Attributes:
        version: KServe's, as its controller's image or label says it; empty if neither does, or may not be read.
        headers: names of the header that may route by model, the empty one for none; several where it is not told.
    """

    version: str
    headers: tuple[str, ...]

    @property
    def minors(self) -> tuple[str, ...]:
        """Minor versions whose rules are right: one, or all that are known where nobody says which it is."""
        known = minor(self.version)
        return (known,) if known else VERSIONS

    @property
    def header(self) -> str:
        """The header that routes by model; empty if it is off, or older than that; the usual one if nobody says."""
        return self.headers[0] if any(map(routes_by_header, self.minors)) else ""


def installed(service: LlmService) -> Installed:
    """KServe's version and how it routes by model for this service's Gateway, by what may be read of it."""
    place = service.controller
    try:
        found = service.kube.get(DEPLOYMENT, place.name, place.namespace)
        version = version_of(found)
    except KubeError:
        version = ""
    return Installed(version, _headers(service))


def version_of(controller: Object) -> str:
    """The version of KServe that a Deployment of its controller runs; empty if it does not say. Pure."""
    containers = controller["spec"]["template"]["spec"]["containers"]
    main = next((each for each in containers if each["name"] == "manager"), containers[0])
    label = controller["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    return guess(tag(main["image"])) or guess(label)


def routed(found: Object, service: LlmService, header: str) -> Routed:
    """What the rules are made of. Pure.

    Args:
        found: the LLMInferenceService.
        service: names of what is its own.
        header: the header that routes by model; empty for none.
    """
    spec = found["spec"]
    router, model = spec.get("router", {}), spec["model"]
    workload = Backend("Service", service.children["workload service"][1])
    pool = (router.get("scheduler") or {}).get("pool", {}).get("ref", {}).get("name", service.children["pool"][1])
    picked = Backend("InferencePool", pool, POOL_GROUP) if "scheduler" in router else workload
    adapters = tuple(each["name"] for each in model.get("lora", {}).get("adapters", []) if each.get("name"))
    name = model.get("name") or found["metadata"]["name"]
    return Routed(service.namespace, service.name, name, picked, workload, header, adapters)


def own_rules(found: Object) -> list[Rule]:
    """The rules that a service states itself, in place of the preset's; empty if it states none. Pure."""
    http = (found["spec"].get("router", {}).get("route") or {}).get("http") or {}
    rules: list[Rule] = (http.get("spec") or {}).get("rules") or []
    return rules


def wrong_rules(route: Object, found: Object, service: LlmService, there: Installed) -> list[Difference]:
    """What of a route's rules is not as it must be; of several ways to be right the nearest one counts. Pure.

    Args:
        route: the HTTPRoute.
        found: the LLMInferenceService.
        service: names of what is its own.
        there: what is installed.
    """
    rules = route["spec"].get("rules") or []
    if own := own_rules(found):
        return differences(rules, own)
    ways = [
        differences(rules, expected_rules(version, routed(found, service, header if routes_by_header(version) else "")))
        for version, header in product(there.minors, there.headers)
    ]
    return min(ways, key=len)


def _headers(service: LlmService) -> tuple[str, ...]:
    try:
        config = service.kube.get(CONFIG_MAP, _CONFIG, service.controller.namespace)
        ingress = json.loads(config.get("data", {}).get("ingress", "{}"))
        annotations = service.read_gateway()["metadata"].get("annotations", {})
    except (KubeError, ValueError):
        return (MODEL_HEADER, "")
    return (configured_header(ingress, annotations),)


def configured_header(ingress: Object, annotations: Object) -> str:
    """The header that routes by model; empty if that is off. Pure.

    Args:
        ingress: of KServe's configuration.
        annotations: of the Gateway.
    """
    mode = ingress.get("modelBasedRoutingMode")
    if mode == "disabled" or (mode != "forced" and annotations.get(_OFF) == "false"):
        return ""
    return str(ingress.get("modelBasedRoutingHeaderName") or MODEL_HEADER)
