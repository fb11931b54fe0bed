"""A deployed service, found by its name: where it is, and at which Gateway, by its own word."""

from tools.errors import UserError
from tools.kube.client import Kube, Object
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import LlmService, Place
from tools.openai.connection import Connection
from tools.profile import Profile

# Where KServe attaches routes of services that name no Gateway, unless its configuration says otherwise.
_DEFAULT_GATEWAY = "kserve-ingress-gateway"


def locate(kube: Kube, place: Place, profile: Profile, connection: Connection) -> LlmService:
    """The service with this name.

    Raises:
        UserError: there is none.
    """
    found = kube.find(LLM_SERVICE, place.name, place.namespace)
    if found is None:
        names = [each["metadata"]["name"] for each in kube.objects(LLM_SERVICE, place.namespace)]
        raise UserError(
            f"LLMInferenceService {place}",
            f"there is none of this name; in {place.namespace} there are {', '.join(names) or 'none'}",
            next_step=kube.kubectl("get", LLM_SERVICE.resource, "--all-namespaces"),
        )
    controller = Place(profile.namespaces.kserve, profile.deployments.kserve)
    istiod = Place(profile.namespaces.istio, profile.deployments.istio)
    return LlmService(kube, place.namespace, place.name, gateway_of(found, profile), controller, istiod, connection)


def gateway_of(found: Object, profile: Profile) -> Place:
    """The Gateway of a service: the one of its status, else of its specification, else of the profile. Pure."""
    namespace = found["metadata"]["namespace"]
    told = found.get("status", {}).get("router", {}).get("gateways", [])
    asked = found["spec"].get("router", {}).get("gateway", {}).get("refs", [])
    for reference in [*told, *asked]:
        return Place(reference.get("namespace", namespace), reference["name"])
    if profile.gateway.reference is not None:
        return Place(profile.gateway.reference.namespace, profile.gateway.reference.name)
    return Place(profile.namespaces.kserve, _DEFAULT_GATEWAY)
