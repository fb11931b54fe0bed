"""The Gateways that a route must be attached to, and whether their controller has taken it as it is now. Pure."""

from typing import Any

from tools.kube.client import Object
from tools.kube.conditions import conditions, lacking
from tools.kube.llm_service import Place

_GATEWAY = {"group": "gateway.networking.k8s.io", "kind": "Gateway"}
Reference = dict[str, Any]


def wanted_parents(found: Object, gateway: Place) -> list[Reference]:
    """What a service's route must have as `spec.parentRefs`.

    Args:
        found: the LLMInferenceService.
        gateway: where its route attaches if it names no Gateway.
    """
    router = found["spec"].get("router", {})
    own = ((router.get("route") or {}).get("http") or {}).get("spec") or {}
    asked = (router.get("gateway") or {}).get("refs") or own.get("parentRefs")
    return [_normal(each, found) for each in asked or [{"name": gateway.name, "namespace": gateway.namespace}]]


def wrong_parents(route: Object, wanted: list[Reference], controller: str) -> list[str]:
    """What is wrong with a route's parents, a line each.

    A policy controller may write entries of its own for the same parent: only those of the Gateway's controller count.

    Args:
        route: the HTTPRoute.
        wanted: from `wanted_parents`.
        controller: of the GatewayClass, as it signs what it writes.
    """
    told = [_normal(each, route) for each in route["spec"].get("parentRefs") or []]
    lines = [f"parentRefs has no {reference_name(each)}" for each in wanted if each not in told]
    lines += [f"parentRefs has {reference_name(each)}, which nobody asked for" for each in told if each not in wanted]
    for parent in [each for each in wanted if each in told]:
        lines += [f"{reference_name(parent)}: {line}" for line in _of_parent(route, parent, controller)]
    return lines


def reference_name(parent: Reference) -> str:
    """A parent in words."""
    section = f", listener {parent['sectionName']}" if parent.get("sectionName") else ""
    return f"{parent['kind']} {parent['namespace']}/{parent['name']}{section}"


def _of_parent(route: Object, parent: Reference, controller: str) -> list[str]:
    entries = [
        each for each in route.get("status", {}).get("parents", []) if _normal(each["parentRef"], route) == parent
    ]
    own = [each for each in entries if each.get("controllerName") == controller]
    if not own:
        others = ", ".join(sorted(str(each.get("controllerName")) for each in entries))
        return [f"status.parents has no entry of {controller} for it (of others: {others or 'none'})"]
    wanted = ("Accepted", "ResolvedRefs")
    return [line for each in own for line in lacking(conditions(route, each.get("conditions", [])), wanted)]


def _normal(reference: Reference, found: Object) -> Reference:
    """With all that may be left out."""
    own = found["metadata"].get("namespace", "")
    made = {**_GATEWAY, "namespace": own, **{key: value for key, value in reference.items() if value}}
    return {key: made[key] for key in ("group", "kind", "namespace", "name", "sectionName", "port") if key in made}
