"""The rights that each way of running needs: data, and the same for code, documentation and manifests/rbac."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tools.kube.access import Access
from tools.kube.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    DEPLOYMENT,
    DESTINATION_RULE,
    ENDPOINT_SLICE,
    EVENT,
    GATEWAY,
    HTTP_ROUTE,
    LEASE,
    LLM_SERVICE,
    NAMESPACE,
    NODE,
    POD,
    POOL,
    REPLICA_SET,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
)

# What rights are for, in the words of tools.cases.capabilities where a case can need it.
FORWARD = "reach ports inside the service's pods"
NODES = "read nodes"
ISTIOD = "ask istiod"
PICKER_METRICS = "read the picker's metrics"
IDENTITY = "read which cluster it is"
VERSIONS = "read versions of the stack"
POLICIES = "read policies around the service"
LOGS = "read the service's logs"

LOOK = ("get", "list", "watch")
MAKE = ("create", "patch", "delete")

_NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
_CONFIG = Kind("serving.kserve.io/v1alpha2", "LLMInferenceServiceConfig", "llminferenceserviceconfigs")
_CRD = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
_GATEWAY_CLASS = Kind("gateway.networking.k8s.io/v1", "GatewayClass", "gatewayclasses", namespaced=False)
_PEER_AUTHENTICATION = Kind("security.istio.io/v1", "PeerAuthentication", "peerauthentications")
_TELEMETRY = Kind("telemetry.istio.io/v1", "Telemetry", "telemetries")


class Mode(StrEnum):
    """How much a run does; `ladder` tells what each rests on.

    Attributes:
        READ: `--read-only`: looks at a deployed service.
        TRAFFIC: `--traffic`: sends HTTP requests to it, and reads counters in its pods by port-forward where it may.
        PROBES: `--probes`: makes a namespace with probe pods.
        DEPLOY: makes a namespace with a service of its own.
        LEASE: keeps other runs off the cluster meanwhile.
    """

    READ = "read-only"
    TRAFFIC = "traffic"
    PROBES = "probes"
    DEPLOY = "deploy"
    LEASE = "lease"


@dataclass(frozen=True)
class Places:
    """The namespaces that a run has to do with; an empty one stands for all.

    Attributes:
        service: of the service under test.
        gateway: of the Gateway that its route attaches to.
        kserve: of KServe's controller.
        istio: of istiod.
        own: of the run's own namespaces.
        lease: of the Lease.
    """

    service: str = ""
    gateway: str = ""
    kserve: str = ""
    istio: str = ""
    own: str = ""
    lease: str = "default"


def needed(mode: Mode, places: Places) -> list[Access]:
    """What a mode adds to the ones before it, without which it cannot begin."""
    match mode:
        case Mode.READ:
            of_service = (LLM_SERVICE, HTTP_ROUTE, POOL, DEPLOYMENT, REPLICA_SET, POD, SERVICE, ENDPOINT_SLICE)
            found = [*_for(LOOK, of_service, places.service), *_for(("get", "list"), (EVENT,), places.service)]
            return [*found, *_for(LOOK, (GATEWAY,), places.gateway)]
        case Mode.TRAFFIC:
            return []  # requests go through the gateway, as everybody's do
        case Mode.PROBES:
            return [
                *_for((*LOOK, *MAKE), (NAMESPACE,)),
                *_for((*LOOK, *MAKE), (POD,), places.own),
                *_on("pods", "exec", ("get", "create"), places.own),
                *_on("pods", "log", ("get",), places.own),
            ]
        case Mode.DEPLOY:
            return _deploy(places)
        case Mode.LEASE:
            return _for((*LOOK, *MAKE), (LEASE,), places.lease)


def useful(mode: Mode, places: Places) -> dict[str, list[Access]]:
    """What a mode adds that it can do without, by what it is for.

    Where it is lacking, the cases that need it are NOT SUPPORTED, with the purpose as need and `missing` as have.
    """
    match mode:
        case Mode.READ:
            policies = (DESTINATION_RULE, _NETWORK_POLICY, _PEER_AUTHENTICATION, _TELEMETRY, _CONFIG, SERVICE_ACCOUNT)
            controllers = (places.kserve, places.istio)
            return {
                NODES: _for(("get", "list"), (NODE,)),
                IDENTITY: _for(("get",), (NAMESPACE,)),
                VERSIONS: [
                    *_for(("get", "list"), (_CRD, _GATEWAY_CLASS)),
                    *_for(("get", "list"), (_CONFIG,), places.kserve),
                    *(access for place in controllers for access in _for(("get", "list"), (DEPLOYMENT, POD), place)),
                ],
                POLICIES: _for(("get", "list"), policies, places.service),
                LOGS: _on("pods", "log", ("get",), places.service),
            }
        case Mode.TRAFFIC:
            return {
                FORWARD: _forward(places.service),
                ISTIOD: [*_for(("list",), (POD,), places.istio), *_forward(places.istio)],
                PICKER_METRICS: _on("serviceaccounts", "token", ("create",), places.service),
            }
        case _:
            return {}


def ladder(mode: Mode) -> tuple[Mode, ...]:
    """A mode and those that it rests on."""
    return {
        Mode.READ: (Mode.READ,),
        Mode.TRAFFIC: (Mode.READ, Mode.TRAFFIC),
        Mode.PROBES: (Mode.READ, Mode.TRAFFIC, Mode.PROBES, Mode.LEASE),
        Mode.DEPLOY: (Mode.READ, Mode.TRAFFIC, Mode.PROBES, Mode.DEPLOY, Mode.LEASE),
        Mode.LEASE: (Mode.LEASE,),
    }[mode]


def _deploy(places: Places) -> list[Access]:
    made = (LLM_SERVICE, GATEWAY, SERVICE_ACCOUNT, SECRET, CONFIG_MAP, DESTINATION_RULE, _NETWORK_POLICY)
    return [
        *_for((*LOOK, *MAKE), made, places.own),
        *_on("serviceaccounts", "token", ("create",), places.own),
        # The account that reads the picker's metrics; nobody may grant what he does not have himself.
        *_for(("get", "list", *MAKE), (CLUSTER_ROLE, CLUSTER_ROLE_BINDING)),
        Access("get", "/metrics"),
    ]


def _forward(namespace: str) -> list[Access]:
    # A WebSocket begins with GET; since Kubernetes 1.35 the right to create is asked for as well.
    return _on("pods", "portforward", ("get", "create"), namespace)


def _on(resource: str, subresource: str, verbs: Iterable[str], namespace: str) -> list[Access]:
    return [Access(verb, resource, "", namespace, subresource) for verb in verbs]


def _for(verbs: Iterable[str], kinds: Iterable[Kind], namespace: str = "") -> list[Access]:
    kept = list(verbs)
    return [
        Access(verb, kind.plural, kind.api.rpartition("/")[0], namespace if kind.namespaced else "")
        for kind in kinds
        for verb in kept
    ]
