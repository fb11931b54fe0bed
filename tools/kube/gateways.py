"""A Gateway's listeners, and the proxies that serve it, as Istio makes them for each Gateway."""

from dataclasses import dataclass

from tools.explain import Violation
from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.conditions import conditions, lacking
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import Place

# Put on everything that an implementation makes for a Gateway (GEP-1762).
NAME = "gateway.networking.k8s.io/gateway-name"
PROXY = "istio-proxy"
HOLDS = ("Accepted", "Programmed", "ResolvedRefs")


@dataclass(frozen=True)
class Listener:
    """A listener.

    Attributes:
        name, port, protocol: as specified.
        certificates: Secrets that it refers to, as `namespace/name`.
        attached: how many routes are attached, by its status.
        trouble: what is wrong with its conditions, a line each.
    """

    name: str
    port: int
    protocol: str
    certificates: tuple[Place, ...]
    attached: int
    trouble: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.protocol} at {self.port}"


def listeners(gateway: Object) -> list[Listener]:
    """A Gateway's listeners, with what its status says of them. Pure."""
    told = {each["name"]: each for each in gateway.get("status", {}).get("listeners", [])}
    return [_listener(gateway, each, told.get(each["name"], {})) for each in gateway["spec"]["listeners"]]


def addresses(gateway: Object) -> list[tuple[str, str]]:
    """Type and value of each address that a Gateway has. Pure."""
    found = gateway.get("status", {}).get("addresses", [])
    return [(each.get("type", "IPAddress"), each["value"]) for each in found]


def deployments(kube: Kube, gateway: Place) -> list[Object]:
    """Deployments of a Gateway's proxies, of which there is at least one.

    Raises:
        Violation: there is none.
    """
    if found := kube.objects(DEPLOYMENT, gateway.namespace, labels=f"{NAME}={gateway.name}"):
        return found
    raise Violation(
        f"a Deployment of proxies for Gateway {gateway}",
        f"none in {gateway.namespace} has the label {NAME}={gateway.name}",
        cause="the GatewayClass is not Istio's, or istiod does not run",
        next_step=kube.kubectl("-n", gateway.namespace, "get", "deployments", "--show-labels"),
    )


def proxies(kube: Kube, gateway: Place) -> list[Object]:
    """Pods of a Gateway's proxies that are not on their way out."""
    found = kube.objects(POD, gateway.namespace, labels=f"{NAME}={gateway.name}")
    return [pod for pod in found if not pods.is_leaving(pod)]


def image(pod_spec: Object, container: str) -> str:
    """The image of a container. Pure."""
    return next((str(each["image"]) for each in pod_spec["containers"] if each["name"] == container), "")


def tag(reference: str) -> str:
    """The tag of an image, without a digest; empty where it has none. Pure."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _listener(gateway: Object, spec: Object, status: Object) -> Listener:
    own = gateway["metadata"].get("namespace", "")
    references = spec.get("tls", {}).get("certificateRefs", [])
    return Listener(
        spec["name"],
        spec["port"],
        spec["protocol"],
        tuple(Place(each.get("namespace", own), each["name"]) for each in references),
        status.get("attachedRoutes", 0),
        tuple(lacking(conditions(gateway, status.get("conditions", [])), HOLDS)),
    )


def unavailable(found: list[Object], budgets: list[Object], replicas: int, *, budget: bool) -> list[str]:
    """What is lacking for proxies to be available as promised, one line each. Pure.

    Args:
        found: pods of the proxies.
        budgets: PodDisruptionBudgets of their namespace.
        replicas: that are to be ready, at least.
        budget: whether a budget is to cover each, and to let at least one of them be disturbed.
    """
    ready = [pod for pod in found if pods.is_ready(pod)]
    wrong = [] if len(ready) >= replicas else [f"{len(ready)} ready proxies"]
    if not budget:
        return wrong
    for pod in found:
        covering = [each for each in budgets if _selects(each["spec"].get("selector"), pod)]
        wrong += [] if covering else [f"no PodDisruptionBudget covers {pod['metadata']['name']}"]
    return wrong


def _selects(selector: Object | None, pod: Object) -> bool:
    labels = pod["metadata"].get("labels", {})
    wanted = (selector or {}).get("matchLabels", {})
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())
