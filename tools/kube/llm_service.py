"""An LLMInferenceService and what KServe makes of it, read from the cluster anew at every call."""

from dataclasses import dataclass

from tools.explain import Violation, bullets
from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.conditions import conditions, lacking
from tools.kube.kinds import DEPLOYMENT, GATEWAY, HTTP_ROUTE, LLM_SERVICE, POD, POOL, SERVICE, Kind
from tools.manifests import names
from tools.openai.connection import Connection
from tools.troubles import look

PART_OF = "app.kubernetes.io/part-of=llminferenceservice"
PICKER_LABELS = (
    f"{PART_OF},app.kubernetes.io/name={{name}},app.kubernetes.io/component=llminferenceservice-router-scheduler"
)
# Serves the OpenAI API, with this name in every preset.
SERVER_CONTAINER = "main"
_PLAIN = Connection("")


@dataclass(frozen=True)
class Place:
    """An object by its namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class LlmService:
    """A service under test.

    Attributes:
        kube: the cluster.
        namespace, name: of the LLMInferenceService.
        gateway: the Gateway that its route attaches to.
        controller: Deployment of KServe's controller for LLMInferenceServices.
        istiod: Deployment of Istio's control plane.
        connection: how clients reach its gateway.
    """

    kube: Kube
    namespace: str
    name: str
    gateway: Place
    controller: Place = Place("kserve", "llmisvc-controller-manager")
    istiod: Place = Place("istio-system", "istiod")
    connection: Connection = _PLAIN

    @property
    def owns_gateway(self) -> bool:
        """Whether its Gateway is there for it alone: one in its own namespace, as a run makes it."""
        return self.gateway == Place(self.namespace, names.own_gateway(self.name))

    @property
    def children(self) -> dict[str, tuple[Kind, str]]:
        """What KServe makes for a service with a scheduler, by its part: kind and name.

        The names are the same in KServe 0.16 to 0.20; beyond 63 characters they are hashed.
        """
        parts = {
            "workload": (DEPLOYMENT, "-kserve"),
            "workload service": (SERVICE, "-kserve-workload-svc"),
            "route": (HTTP_ROUTE, "-kserve-route"),
            "pool": (POOL, "-inference-pool"),
            "picker": (DEPLOYMENT, "-kserve-router-scheduler"),
            "picker service": (SERVICE, "-epp-service"),
        }
        return {part: (kind, names.child_name(self.name, suffix)) for part, (kind, suffix) in parts.items()}

    def read(self) -> Object:
        """The LLMInferenceService itself."""
        return self.kube.get(LLM_SERVICE, self.name, self.namespace)

    @property
    def url(self) -> str:
        """Its own word for where it is: status.url."""
        return str(self.read().get("status", {}).get("url", ""))

    def child(self, part: str) -> Object:
        """One of `children`.

        Raises:
            Violation: it is not there.
        """
        kind, name = self.children[part]
        if (found := self.kube.find(kind, name, self.namespace)) is not None:
            return found
        raise Violation(
            f"{kind.kind} {name} ({part}) to exist",
            f"there is no such {kind.kind}",
            cause="the controller does not run, failed on it (its log), or a name changed with KServe's version",
            next_step=self.kubectl("describe", LLM_SERVICE.resource, self.name),
        )

    def read_gateway(self) -> Object:
        """The Gateway."""
        return self.kube.get(GATEWAY, self.gateway.name, self.gateway.namespace)

    def pods(self) -> list[Object]:
        """Pods of the model server that are not on their way out, by name."""
        return self._pods(f"{PART_OF},app.kubernetes.io/name={self.name},kserve.io/component=workload")

    def servers(self) -> list[Object]:
        """`pods()`, of which there is at least one, and each on a node: nothing that is said of them is said of none.

        Raises:
            Violation: there is no pod, or the scheduler has no node for one.
        """
        found = self.pods()
        waiting = [pod for pod in found if not pod["spec"].get("nodeName")]
        if found and not waiting:
            return found
        expected, deployment = f"server pods of {self.name}, each on a node", self.children["workload"][1]
        if waiting:
            why = [each.trouble.cause for each in look.at(self.kube, self.namespace, waiting)]
            raise Violation(
                expected,
                bullets([pods.line(pod) for pod in waiting]),
                cause="; ".join(dict.fromkeys(why)),
                next_step=self.kubectl("describe", "pod", waiting[0]["metadata"]["name"]),
            )
        refused = next(iter(look.creation(self.kube, self.child("workload"))), None)
        raise Violation(
            expected,
            "there is no server pod" + (f": {refused.trouble.what}" if refused else ""),
            cause=refused.trouble.cause if refused else f"Deployment {deployment} asks for none",
            next_step=self.kubectl(*(refused.trouble.command if refused else ("describe", f"deployment/{deployment}"))),
        )

    def pickers(self) -> list[Object]:
        """`picker_pods()`, of which there is at least one: nothing that is said of them is said of none.

        Raises:
            Violation: there is none.
        """
        if found := self.picker_pods():
            return found
        deployment = self.children["picker"][1]
        raise Violation(
            f"a picker pod of {self.name}",
            "there is no picker pod",
            cause=f"Deployment {deployment} asks for none, or its pods are refused (quota, webhook)",
            next_step=self.kubectl("describe", f"deployment/{deployment}"),
        )

    def picker_pods(self) -> list[Object]:
        """Pods of the endpoint picker that are not on their way out, by name."""
        return self._pods(PICKER_LABELS.format(name=self.name))

    def kubectl(self, *words: str) -> str:
        """A kubectl command in the service's namespace."""
        return self.kube.kubectl("-n", self.namespace, *words)

    def _pods(self, labels: str) -> list[Object]:
        return [pod for pod in self.kube.objects(POD, self.namespace, labels=labels) if not pods.is_leaving(pod)]


def source(found: Object) -> str:
    """Where a value was read: kind, name and version of the object."""
    meta = found["metadata"]
    return f"{found['kind']} {meta['name']} (resourceVersion {meta['resourceVersion']})"


def not_ready(found: Object) -> list[str]:
    """What keeps a LLMInferenceService from being Ready as it is now, one line each; empty when it is."""
    observed, generation = found.get("status", {}).get("observedGeneration"), found["metadata"]["generation"]
    if observed != generation:
        return [f"the controller has seen generation {observed} of {generation}: does it run?"]
    return lacking(conditions(found), expected_conditions(found["spec"]))


def expected_conditions(spec: Object) -> list[str]:
    """Conditions that a service with this specification reports when all is well (KServe 0.17 to 0.20)."""
    router = spec.get("router", {})
    wanted = ["Ready", "PresetsCombined", "WorkloadsReady", "MainWorkloadReady"]
    wanted += ["RouterReady"] if router else []
    wanted += ["HTTPRoutesReady"] if "route" in router else []
    # Only for Gateways that the service names itself.
    wanted += ["GatewaysReady"] if router.get("gateway", {}).get("refs") else []
    wanted += ["InferencePoolReady", "SchedulerWorkloadReady"] if "scheduler" in router else []
    return wanted
