"""Why requests of a service are not picked by its own picker, or not answered by its own servers: facts looked up."""

from collections.abc import Iterable

from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.kinds import HTTP_ROUTE
from tools.kube.llm_service import LlmService, Place
from tools.kube.picker_path import obstacles
from tools.route.foreign import attached, takers
from tools.route.reading import installed, routed

COLLISION = "istio#61594"
LINK = "https://github.com/istio/istio/issues/61594"


def suspects(service: LlmService) -> list[str]:
    """Facts that explain it, one line each; empty when none is seen. Never raises for the cluster's sake."""
    return [*obstacles(service), *_other_routes(service)]


def shared_names(routes: Iterable[Object], own: Object, gateway: Place) -> dict[str, list[str]]:
    """Names of rules that other routes on a Gateway have too, and that lead to pools in both, by route. Pure.

    Args:
        routes: all that there are, the service's own among them.
        own: the service's.
        gateway: the service's.
    """
    mine = _pool_rules(own)
    found = {
        str(Place(each["metadata"]["namespace"], each["metadata"]["name"])): sorted(mine & _pool_rules(each))
        for each in routes
        if each["metadata"].get("uid") != own["metadata"].get("uid") and attached(each, gateway)
    }
    return {route: names for route, names in found.items() if names}


def collision(shared: dict[str, list[str]]) -> list[str]:
    """What is told of shared names, a line for each route. Pure."""
    return [
        f"HTTPRoute {route} on the same Gateway has rules of the same names ({', '.join(names)}): Istio keys the"
        f" picker by a rule's name alone, so that one of the two is asked for both ({COLLISION}, {LINK})"
        for route, names in sorted(shared.items())
    ]


def _pool_rules(route: Object) -> set[str]:
    return {
        rule["name"]
        for rule in route["spec"].get("rules") or []
        if rule.get("name") and any(each.get("kind") == "InferencePool" for each in rule.get("backendRefs") or [])
    }


def _other_routes(service: LlmService) -> list[str]:
    try:
        own = service.kube.find(*service.children["route"], service.namespace)
        if own is None:
            return []
        routes = service.kube.objects(HTTP_ROUTE)
        mine = routed(service.read(), service, installed(service).header)
    except KubeError as error:
        return [f"routes of others were not looked at, because the API server did not show them: {error}"]
    place = Place(service.namespace, own["metadata"]["name"])
    return [*takers(routes, place, service.gateway, mine), *collision(shared_names(routes, own, service.gateway))]
