"""The rights that each way of running needs: data, and the same for code, documentation and manifests/rbac."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tools.kube.access import Access
from tools.kube.kinds import (
    ADMISSION_BINDING,
    ADMISSION_POLICY,
    AUTHORIZATION_POLICY,
    CERTIFICATE,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CLUSTER_STORAGE_CONTAINER,
    CONFIG_MAP,
    CRD,
    DEPLOYMENT,
    DESTINATION_RULE,
    DISRUPTION_BUDGET,
    ENDPOINT_SLICE,
    ENVOY_FILTER,
    EVENT,
    GATEWAY,
    GATEWAY_CLASS,
    HTTP_ROUTE,
    LEASE,
    LLM_CONFIG,
    LLM_SERVICE,
    MUTATING_BINDING,
    MUTATING_POLICY,
    MUTATING_WEBHOOK,
    NAMESPACE,
    NETWORK_POLICY,
    NODE,
    OLD_POOL,
    PEER_AUTHENTICATION,
    POD,
    POOL,
    REPLICA_SET,
    REQUEST_AUTHENTICATION,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    VALIDATING_WEBHOOK,
    Kind,
)

# What rights are for, in the words of tools.cases.capabilities where a case can need it.
FORWARD = "reach ports inside the service's pods"
THROUGH = "reach server pods from outside the mesh"
THROUGH_ISTIO = "reach istiod from outside the mesh"
NODES = "read nodes"
ISTIOD = "ask istiod"
PROMETHEUS = "ask Prometheus"
PICKER_METRICS = "read the picker's metrics"
IDENTITY = "read which cluster it is"
FEATURES = "find out what the cluster has"
POLICIES = "read policies around the service"
ISOLATION = "read pods, Services and NetworkPolicies of every namespace"
AUTHORIZATIONS = "read AuthorizationPolicies"
LOGS = "read the service's logs"
ACCOUNTS = "read the picker's account and roles"
BESIDE = "make routes and Gateways beside the service's"
CHILDREN = "change what KServe makes for a service of the run"
MESH_POLICIES = "make policies of the mesh for a service of the run"
REVIEWS = "ask what accounts may do"
SECRETS = "read which keys the service's Secrets and ConfigMaps have"
ROUTES = "read routes of every namespace"
PLATFORM = "look at the installation"
PLATFORM_SECRETS = "read the installation's certificates and pull Secrets"
DRY_RUN = "write services and presets as dry runs"
STORAGE = "read KServe's storage containers"

_LOOK = ("get", "list", "watch")
_READ = ("get", "list")
# Server-side apply is a patch, and a creation where there is nothing yet.
_APPLY = ("create", "patch")
_SCALE = (*_LOOK, "patch")

_DAEMON_SET = Kind("apps/v1", "DaemonSet", "daemonsets")
_TELEMETRY = Kind("telemetry.istio.io/v1", "Telemetry", "telemetries")
_SAIL = Kind("sailoperator.io/v1", "Istio", "istios", namespaced=False)


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
        monitoring: of Prometheus.
    """

    service: str = ""
    gateway: str = ""
    kserve: str = ""
    istio: str = ""
    own: str = ""
    lease: str = "default"
    monitoring: str = ""


def needed(mode: Mode, places: Places) -> list[Access]:
    """What a mode adds to those that it rests on, without which it cannot begin."""
    match mode:
        case Mode.READ:
            of_service = (LLM_SERVICE, HTTP_ROUTE, POOL, DEPLOYMENT, REPLICA_SET, POD, SERVICE, ENDPOINT_SLICE)
            found = [*_for(_LOOK, of_service, places.service), *_for(_READ, (EVENT,), places.service)]
            return [*found, *_for(_LOOK, (GATEWAY,), places.gateway)]
        case Mode.TRAFFIC:
            return []  # requests go through the gateway, as everybody's do
        case Mode.PROBES:
            return [
                *_for((*_LOOK, *_APPLY, "delete"), (NAMESPACE,)),
                *_for((*_LOOK, "create", "delete"), (POD, NETWORK_POLICY), places.own),
                *_on("pods", "exec", ("get", "create"), places.own),
                *_on("pods", "log", ("get",), places.own),
            ]
        case Mode.DEPLOY:
            return _deploy(places)
        case Mode.LEASE:
            return _for((*_LOOK, *_APPLY, "delete"), (LEASE,), places.lease)


def useful(mode: Mode, places: Places) -> dict[str, list[Access]]:
    """What a mode adds that it can do without, by what it is for.

    Where it is lacking, the cases that need it are NOT SUPPORTED, with the purpose as need and `missing` as have.
    """
    match mode:
        case Mode.READ:
            everywhere = (DEPLOYMENT, _DAEMON_SET, POD, DISRUPTION_BUDGET, PEER_AUTHENTICATION, _TELEMETRY)
            return {
                NODES: _for(_READ, (NODE,)),
                IDENTITY: _for(("get",), (NAMESPACE,)),
                FEATURES: [
                    *_for(("get",), (CRD,)),
                    *_for(("list",), (GATEWAY_CLASS, MUTATING_WEBHOOK, _SAIL, *everywhere)),
                    *_for(("get",), (DEPLOYMENT,), places.kserve),
                    *_for(("list",), (LLM_CONFIG,), places.kserve),
                    *_for(("get",), (CONFIG_MAP, DEPLOYMENT), places.istio),
                ],
                POLICIES: _for(_READ, (DESTINATION_RULE, NETWORK_POLICY, SERVICE_ACCOUNT), places.service),
                AUTHORIZATIONS: [
                    access
                    for place in (places.service, places.istio)
                    for access in _for(_READ, (AUTHORIZATION_POLICY,), place)
                ],
                # Whom a rule admits is told by the labels of all pods and namespaces.
                ISOLATION: _for(("list",), (NAMESPACE, POD, NETWORK_POLICY, SERVICE, ENDPOINT_SLICE)),
                PLATFORM: _platform(places),
                LOGS: _on("pods", "log", ("get",), places.service),
                ACCOUNTS: [
                    *_for(_READ, (SERVICE_ACCOUNT, ROLE, ROLE_BINDING, OLD_POOL), places.service),
                    *_for(_READ, (CLUSTER_ROLE_BINDING,)),
                ],
                # A review is a question: the API server answers it and stores nothing.
                REVIEWS: [Access("create", "subjectaccessreviews", "authorization.k8s.io")],
                # On a Gateway that several share, another's route can take the service's requests.
                ROUTES: [
                    *_for(("list",), (HTTP_ROUTE,)),
                    *_for(("get",), (OLD_POOL,), places.service),
                    *_for(("get",), (CONFIG_MAP,), places.kserve),
                ],
                STORAGE: _for(_READ, (CLUSTER_STORAGE_CONTAINER,)),
                # Its API, and the gateway's pods, of which it is asked.
                PROMETHEUS: [
                    *_on("services", "proxy", ("get",), places.monitoring),
                    *_for(_READ, (POD,), places.gateway),
                ],
            }
        case Mode.TRAFFIC:
            return {
                FORWARD: _forward(places.service),
                THROUGH: _on("pods", "proxy", ("get",), places.service),
                THROUGH_ISTIO: [*_for(_READ, (POD,), places.istio), *_on("pods", "proxy", ("get",), places.istio)],
                ISTIOD: [*_for(_READ, (POD,), places.istio), *_forward(places.istio)],
            }
        case Mode.PROBES:
            return {PICKER_METRICS: _reader(places)}
        case Mode.DEPLOY:
            made = (DEPLOYMENT, SERVICE, HTTP_ROUTE, POOL, SERVICE_ACCOUNT, ROLE, ROLE_BINDING)
            return {
                **to_look_deeper(places),
                CHILDREN: [
                    *_for(("get", "patch", "delete"), made, places.own),
                    *_for(("get", "delete"), (CLUSTER_ROLE_BINDING,)),
                    *_for(("create",), (LLM_CONFIG, SERVICE_ACCOUNT), places.own),
                ],
                MESH_POLICIES: [
                    *_for((*_READ, *_APPLY, "delete"), (AUTHORIZATION_POLICY, PEER_AUTHENTICATION), places.own),
                    *_on("pods", "proxy", ("get",), places.own),
                ],
                BESIDE: [
                    *_for((*_LOOK, *_APPLY, "delete"), (HTTP_ROUTE, DEPLOYMENT), places.own),
                    *_for((*_READ, *_APPLY), (SERVICE, CONFIG_MAP), places.own),
                    *_for((*_READ, *_APPLY, "delete"), (AUTHORIZATION_POLICY, REQUEST_AUTHENTICATION), places.own),
                    *_for(_READ, (POD, DISRUPTION_BUDGET), places.own),
                ],
            }
        case _:
            return {}


def to_read_secrets(places: Places) -> list[Access]:
    """To see that what pods refer to has the keys that they name.

    The API gives names of keys only together with their values, so no ready role has these; where they are lacking, the
    cases that need them are NOT SUPPORTED.
    """
    return _for(("get",), (SECRET, CONFIG_MAP), places.service)


def to_look_deeper(places: Places) -> dict[str, list[Access]]:
    """What cases about the installation can use, and no auditor is given for it: whoever audits and has it is asked."""
    written = [Access(verb, kind.plural, _group(kind), "") for kind in (LLM_SERVICE, LLM_CONFIG)
               for verb in ("create", "update")]  # fmt: skip
    return {
        PLATFORM_SECRETS: [*_for(("get",), (SECRET,), places.kserve), *_for(("get",), (SECRET,), places.istio)],
        DRY_RUN: written,
    }


def to_disturb_service(places: Places) -> list[Access]:
    """What faults add that break the run's own service (`--allow-disruption=service`)."""
    made_by_kserve = (DEPLOYMENT, HTTP_ROUTE, POOL, OLD_POOL, SERVICE, ROLE, ROLE_BINDING, POD)
    return [
        *_for((*_APPLY, "delete"), (*made_by_kserve, DESTINATION_RULE, PEER_AUTHENTICATION), places.own),
        *_for((*_APPLY, "delete"), (ENVOY_FILTER, AUTHORIZATION_POLICY), places.own),
        *_for(("get", "patch"), (GATEWAY, SECRET, SERVICE), places.own),
        *_for((*_APPLY, "delete"), (*made_by_kserve, DESTINATION_RULE, PEER_AUTHENTICATION), places.own),
        *_on("httproutes", "status", ("patch",), places.own, _group(HTTP_ROUTE)),
        *_on(LLM_SERVICE.plural, "status", ("patch",), places.own, _group(LLM_SERVICE)),
        *_for(("create",), (CONFIG_MAP,), places.own),
        *_for(("update",), (SERVICE, SERVICE_ACCOUNT, ROLE), places.own),
        *_for((*_APPLY, "delete"), (LLM_CONFIG,), places.own),
        *_for(("get",), (LLM_CONFIG,), places.kserve),
        *_for(("get",), (DEPLOYMENT,), places.kserve),
        # They keep KServe's controller, in the run's namespace only, from putting back what a fault changed.
        *_for((*_APPLY, "delete"), (ADMISSION_POLICY, ADMISSION_BINDING)),
    ]


def to_disturb_cluster(places: Places) -> list[Access]:
    """What faults add that break what others share (`--allow-disruption=cluster`)."""
    scaled = [access for place in (places.kserve, places.istio) for access in _for(_SCALE, (DEPLOYMENT,), place)]
    watched = [access for place in (places.kserve, places.istio) for access in _for(_LOOK, (POD,), place)]
    return [
        *scaled,
        *watched,
        # What services yet to be made are given, in the run's namespaces only.
        *_for((*_APPLY, "delete"), (MUTATING_POLICY, MUTATING_BINDING)),
        # A creation as a dry run shows that a node's kubelet is kept from undoing a fault.
        *_for(("get", "patch", "create"), (NODE,)),
        *_on("nodes", "status", ("patch",), ""),
        *_for(("patch",), (GATEWAY,), places.gateway),
        *_for(("get", "patch"), (VALIDATING_WEBHOOK, CRD)),
        *_for(("get", "create", "delete"), (CLUSTER_ROLE_BINDING,)),
        *_to_disturb_installation(places),
    ]


def _to_disturb_installation(places: Places) -> list[Access]:
    """What faults of the installation change and put back in the controller's namespace."""
    made = (CONFIG_MAP, SECRET, CERTIFICATE, LLM_CONFIG, NETWORK_POLICY)
    return [
        *_for(("get", *_APPLY, "delete"), made, places.kserve),
        *_for(("get", "patch"), (SERVICE, SERVICE_ACCOUNT), places.kserve),
        *_on(CERTIFICATE.plural, "status", ("patch",), places.kserve, _group(CERTIFICATE)),
        *_for(("get", "patch"), (CLUSTER_ROLE,)),
        *_on(GATEWAY_CLASS.plural, "status", ("patch",), "", _group(GATEWAY_CLASS)),
        # A creation as a dry run shows that istiod is kept from putting a status right.
        *_for(("create",), (GATEWAY_CLASS,)),
    ]


def ladder(mode: Mode) -> tuple[Mode, ...]:
    """A mode and those that it rests on."""
    return {
        Mode.READ: (Mode.READ,),
        Mode.TRAFFIC: (Mode.READ, Mode.TRAFFIC),
        Mode.PROBES: (Mode.READ, Mode.TRAFFIC, Mode.PROBES, Mode.LEASE),
        Mode.DEPLOY: (Mode.READ, Mode.TRAFFIC, Mode.PROBES, Mode.DEPLOY, Mode.LEASE),
        Mode.LEASE: (Mode.LEASE,),
    }[mode]


def ready_role(mode: Mode) -> str:
    """The file with a role for a mode; the one of a run that deploys has what all others need (`tools.rbac`)."""
    files = {Mode.READ: "reader", Mode.TRAFFIC: "auditor-with-traffic"}
    return f"manifests/rbac/{files.get(mode, 'deployer')}.yaml"


def to_isolate(mode: Mode, places: Places) -> list[Access]:
    """What a run needs, too, that deploys a service with `isolation: default-deny`: its policies are made from this."""
    return useful(Mode.READ, places)[ISOLATION] if mode is Mode.DEPLOY else []


def all_of(mode: Mode, places: Places) -> list[Access]:
    """All that a mode and those that it rests on need or can use."""
    return [
        access
        for step in ladder(mode)
        for group in (needed(step, places), *useful(step, places).values())
        for access in group
    ]


def _platform(places: Places) -> list[Access]:
    """Objects of the controllers, in their own namespaces, and what they serve everywhere."""
    inside = (POD, LEASE, SERVICE_ACCOUNT, CERTIFICATE, GATEWAY, SERVICE, CONFIG_MAP, ENDPOINT_SLICE)
    return [
        *_for(_READ, (CRD, GATEWAY_CLASS, VALIDATING_WEBHOOK, MUTATING_WEBHOOK)),
        *_for(("list",), (DEPLOYMENT, LLM_SERVICE, LLM_CONFIG)),
        *(access for place in (places.kserve, places.istio) for access in _for(_READ, inside, place)),
        *(access for place in (places.kserve, places.istio) for access in _for(("get",), (DEPLOYMENT,), place)),
    ]


def _deploy(places: Places) -> list[Access]:
    return [
        *_for((*_LOOK, *_APPLY, "delete"), (LLM_SERVICE, GATEWAY), places.own),
        *_for(("get", *_APPLY), (SECRET, DESTINATION_RULE), places.own),
        *_for(("patch",), (NETWORK_POLICY,), places.own),
        *_reader(places),
    ]


def _reader(places: Places) -> list[Access]:
    """To make the account that reads the picker's metrics; nobody may grant what he does not have himself."""
    return [
        *_for(("get", *_APPLY), (SERVICE_ACCOUNT,), places.own),
        *_on("serviceaccounts", "token", ("create",), places.own),
        *_for((*_READ, *_APPLY, "delete"), (CLUSTER_ROLE, CLUSTER_ROLE_BINDING)),
        Access("get", "/metrics"),
    ]


def _forward(namespace: str) -> list[Access]:
    # A WebSocket begins with GET; since Kubernetes 1.35 the right to create is asked for as well.
    return _on("pods", "portforward", ("get", "create"), namespace)


def _on(resource: str, subresource: str, verbs: Iterable[str], namespace: str, group: str = "") -> list[Access]:
    return [Access(verb, resource, group, namespace, subresource) for verb in verbs]


def _for(verbs: Iterable[str], kinds: Iterable[Kind], namespace: str = "") -> list[Access]:
    kept = list(verbs)
    return [
        Access(verb, kind.plural, _group(kind), namespace if kind.namespaced else "") for kind in kinds for verb in kept
    ]


def _group(kind: Kind) -> str:
    return kind.api.rpartition("/")[0]
