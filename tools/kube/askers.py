"""Who asks a service's servers: the Gateway by its account, and what AuthorizationPolicies there are to judge it by."""

from collections.abc import Mapping, Sequence

from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.kinds import AUTHORIZATION_POLICY
from tools.kube.llm_service import LlmService
from tools.mesh.allowance import allowance
from tools.mesh.rules import Asking
from tools.probe.verdict import ProbeFailed

PORT = 8000
# Nobody is called so: whoever may ask under this name is anybody.
STRANGER = Asking("a stranger in the mesh", "llmisvc-conformance-stranger", "default", PORT)
OUTSIDER = Asking("a client outside the mesh", "", "", PORT)


def gateway_of(service: LlmService) -> Asking:
    """The Gateway's proxies, by the account that they run as.

    Raises:
        ProbeFailed: there are none.
    """
    for pod in gateways.proxies(service.kube, service.gateway):
        account = str(pod["spec"].get("serviceAccountName", "default"))
        return Asking("the gateway", service.gateway.namespace, account, PORT)
    raise ProbeFailed(f"Gateway {service.gateway} has no proxies, so nobody knows as whom they would ask")


def of_namespace(namespace: str) -> Asking:
    """A pod of a namespace, whichever."""
    return Asking(f"a pod of namespace {namespace}", namespace, "default", PORT)


def policies(service: LlmService) -> list[Object]:
    """AuthorizationPolicies of the service's namespace and of Istio's root namespace."""
    kube, namespaces = service.kube, {service.namespace, service.istiod.namespace}
    return [each for namespace in sorted(namespaces) for each in kube.objects(AUTHORIZATION_POLICY, namespace)]


def let_in(service: LlmService, class_name: str, namespaces: Sequence[str], labels: Mapping[str, str]) -> None:
    """Apply the policy that lets the Gateway ask the servers, and nobody else but pods of these namespaces.

    Args:
        service: whose; its Gateway need not have proxies yet.
        class_name: of the Gateway.
        namespaces: of others that may ask.
        labels: of the policy.
    """
    # As Istio names what it makes for a Gateway: by its class, too.
    gateway = (service.gateway.namespace, f"{service.gateway.name}-{class_name}")
    service.kube.apply(allowance(service.name, service.namespace, gateway, namespaces, labels))
