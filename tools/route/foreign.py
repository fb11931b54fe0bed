"""Routes of others on the same Gateway that take requests which belong to a service. Pure.

The Gateway API compares host names first, then the path (an exact one, then the longest prefix), then headers and
queries, and at last the age of the routes. A service's route has no host names: one that has some goes before it for
those hosts, however short its paths are.
"""

import re
from collections.abc import Iterable, Iterator

from tools.kube.client import Object
from tools.kube.llm_service import Place
from tools.route.expected import Routed, Rule

# A path that is asked for in any case.
_SAMPLE = "/v1/completions"


def takers(routes: Iterable[Object], own: Place, gateway: Place, routed: Routed) -> list[str]:
    """What takes requests of a service, a line each.

    Args:
        routes: all HTTPRoutes that there are, the service's own among them.
        own: the service's.
        gateway: the service's.
        routed: the service's paths and its name in the header.
    """
    return [
        f"HTTPRoute {place} {line}"
        for route in routes
        if (place := Place(route["metadata"]["namespace"], route["metadata"]["name"])) != own
        and attached(route, gateway)
        for line in dict.fromkeys(_taken(route["spec"], routed))
    ]


def attached(route: Object, gateway: Place) -> bool:
    """Whether a route asks to be attached to a Gateway."""
    namespace = route["metadata"]["namespace"]
    return any(
        each.get("kind", "Gateway") == "Gateway" and Place(each.get("namespace", namespace), each["name"]) == gateway
        for each in route["spec"].get("parentRefs") or []
    )


def backends(spec: Object) -> str:
    """Where the rules of a route lead, in words."""
    found = {
        f"{each.get('kind', 'Service')} {each['name']}"
        for rule in spec.get("rules") or []
        for each in rule.get("backendRefs") or []
    }
    return ", ".join(sorted(found)) or "nowhere"


def _taken(spec: Object, routed: Routed) -> Iterator[str]:
    hosts = spec.get("hostnames") or []
    told = f" for hosts {', '.join(hosts)}" if hosts else ""
    for rule in spec.get("rules") or []:
        for match in rule.get("matches") or [{}]:
            if _takes(match, bool(hosts), routed):
                yield f"takes {_words(match)}{told}, and leads to {backends(spec)}"


def _takes(match: Rule, by_host: bool, routed: Routed) -> bool:
    path = {"type": "PathPrefix", "value": "/"} | match.get("path", {})
    if _by_header(match, routed):
        return True
    kind, value = path["type"], path["value"].rstrip("/")
    prefix = routed.prefix
    if kind == "RegularExpression":
        return re.match(path["value"], prefix + _SAMPLE) is not None
    inside = value == prefix or value.startswith(f"{prefix}/")
    above = kind == "PathPrefix" and (value == "" or prefix.startswith(f"{value}/"))
    return inside or (by_host and above)


def _by_header(match: Rule, routed: Routed) -> bool:
    """Whether it takes requests that name the service's model in the header."""
    return bool(routed.header) and any(
        each["name"].lower() == routed.header.lower() and each["value"] == routed.publisher
        for each in match.get("headers") or []
    )


def _words(match: Rule) -> str:
    path = {"type": "PathPrefix", "value": "/"} | match.get("path", {})
    headers = "".join(f" with {each['name']}: {each['value']}" for each in match.get("headers") or [])
    return f"{path['type']} {path['value']}{headers}"
