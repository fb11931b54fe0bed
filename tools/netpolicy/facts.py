"""What policies for a service have to know of its cluster: its neighbours, and the labels that they are found by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
Labels = Mapping[str, str]

NAMESPACE_NAME = "kubernetes.io/metadata.name"
PART_OF = {"app.kubernetes.io/part-of": "llminferenceservice"}
# Of KServe's controller, in every release that has LLMInferenceServices.
WORKLOAD = "llminferenceservice-workload"
SCHEDULER = "llminferenceservice-router-scheduler"

SERVER_PORT, PICKER_PORT, PICKER_METRICS, EVENTS_PORT, XDS_PORT, API_SERVICE_PORT = 8000, 9002, 9090, 5557, 15012, 443
SIDECAR_METRICS = (15020, 15090)
GATEWAY_METRICS, GATEWAY_HEALTH, TUNNEL_PORT = (15020, 15090), 15021, 15008


@dataclass(frozen=True)
class Pods:
    """Pods of one namespace, by labels."""

    namespace: str
    labels: Labels

    @property
    def peer(self) -> Object:
        """As a peer of a rule."""
        return {
            "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: self.namespace}},
            "podSelector": {"matchLabels": dict(self.labels)},
        }


@dataclass(frozen=True)
class Dns:
    """Who answers questions for names.

    Attributes:
        pods: behind the cluster's DNS Service; None where DNS is no pod.
        port: on which they listen; 53, on OpenShift 5353.
        resolvers: addresses on the nodes that pods ask in their place, such as 169.254.20.10 (NodeLocal DNSCache).
    """

    pods: Pods | None
    port: int = 53
    resolvers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSource:
    """Where models are downloaded from.

    Attributes:
        cidr: its addresses.
        excepted: those among them that it does not have.
        port: TCP.
        example: one of its addresses.
        components: of the pods that download, by their label app.kubernetes.io/component.
    """

    cidr: str
    excepted: tuple[str, ...]
    port: int
    example: str
    components: tuple[str, ...] = (WORKLOAD,)

    @property
    def block(self) -> Object:
        """As an ipBlock."""
        return {"cidr": self.cidr} | ({"except": list(self.excepted)} if self.excepted else {})


@dataclass(frozen=True)
class Facts:
    """A service and its neighbours.

    Attributes:
        namespace, service: of the LLMInferenceService.
        gateway: pods of its Gateway.
        listeners: ports on which these take requests.
        api_server: addresses of the API server.
        api_server_port: there.
        api_service: the cluster IP of its Service.
        dns: who answers questions for names.
        istiod: Istio's control plane.
        picker: whether the service has an endpoint picker.
        scraped: port of the servers at which the picker reads their metrics; with STRICT mutual TLS the mesh's agent's.
        sidecars: whether its servers have sidecars.
        source: where the model comes from; None if nothing is downloaded from outside.
        monitoring: pods that collect metrics; empty if there are none.
        events: whether servers send KV-cache events to the picker.
        ambient: whether the service's pods are in the ambient mesh.
    """

    namespace: str
    service: str
    gateway: Pods
    api_server: tuple[str, ...]
    api_server_port: int
    api_service: str
    dns: Dns
    istiod: Pods
    listeners: tuple[int, ...] = (80,)
    picker: bool = True
    scraped: int = SERVER_PORT
    sidecars: bool = True
    source: ModelSource | None = None
    monitoring: tuple[Pods, ...] = field(default=())
    events: bool = False
    ambient: bool = False

    @property
    def family(self) -> dict[str, str]:
        """Labels of all pods of the service."""
        return {**PART_OF, "app.kubernetes.io/name": self.service}

    @property
    def servers(self) -> Pods:
        """Its model servers, of which kserve.io/component is the label that the InferencePool selects by, too."""
        return Pods(self.namespace, {**self.family, "kserve.io/component": "workload"})

    @property
    def pickers(self) -> Pods:
        """Its endpoint picker."""
        return Pods(self.namespace, {**self.family, "app.kubernetes.io/component": SCHEDULER})

    @property
    def shares_namespace_with_gateway(self) -> bool:
        """Whether what denies everything in the service's namespace denies it to the gateway as well."""
        return self.gateway.namespace == self.namespace
