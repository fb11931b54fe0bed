"""The kinds of objects that the suite reads or makes, and their addresses in the API."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of object in one version of one API group.

    Attributes:
        api: `apiVersion` of its objects, for example `apps/v1`.
        kind: for example `Deployment`.
        plural: its name in paths.
        namespaced: whether its objects live in namespaces.
    """

    api: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, name: str = "", namespace: str = "", subresource: str = "") -> str:
        """Path of the collection, of an object (with `name`) or of its subresource."""
        root = "/api/" if "/" not in self.api else "/apis/"
        parts = [root + self.api]
        parts += ["namespaces", namespace] if self.namespaced and namespace else []
        parts += [self.plural, name, subresource]
        return "/".join(part for part in parts if part)

    @property
    def resource(self) -> str:
        """The name that kubectl takes, with the group, because `inferencepools` alone is ambiguous."""
        group = self.api.rpartition("/")[0]
        return f"{self.plural}.{group}" if group else self.plural


NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)
NODE = Kind("v1", "Node", "nodes", namespaced=False)
POD = Kind("v1", "Pod", "pods")
SERVICE = Kind("v1", "Service", "services")
SECRET = Kind("v1", "Secret", "secrets")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts")
VOLUME_CLAIM = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
RESOURCE_QUOTA = Kind("v1", "ResourceQuota", "resourcequotas")
EVENT = Kind("v1", "Event", "events")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
REPLICA_SET = Kind("apps/v1", "ReplicaSet", "replicasets")
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
ROLE = Kind("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
ADMISSION_POLICY = Kind(
    "admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False
)
ADMISSION_BINDING = Kind(
    "admissionregistration.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
    namespaced=False,
)
VALIDATING_WEBHOOK = Kind(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    namespaced=False,
)
CRD = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
MUTATING_POLICY = Kind(
    "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", namespaced=False
)
MUTATING_BINDING = Kind(
    "admissionregistration.k8s.io/v1",
    "MutatingAdmissionPolicyBinding",
    "mutatingadmissionpolicybindings",
    namespaced=False,
)
MUTATING_WEBHOOK = Kind(
    "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    namespaced=False,
)
CERTIFICATE = Kind("cert-manager.io/v1", "Certificate", "certificates")
LLM_SERVICE = Kind("serving.kserve.io/v1alpha2", "LLMInferenceService", "llminferenceservices")
LLM_CONFIG = Kind("serving.kserve.io/v1alpha2", "LLMInferenceServiceConfig", "llminferenceserviceconfigs")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways")
POOL = Kind("inference.networking.k8s.io/v1", "InferencePool", "inferencepools")
# The group that came before, of which KServe makes a pool as well, for gateways that know no other.
OLD_POOL = Kind("inference.networking.x-k8s.io/v1alpha2", "InferencePool", "inferencepools")
GATEWAY_CLASS = Kind("gateway.networking.k8s.io/v1", "GatewayClass", "gatewayclasses", namespaced=False)
DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
AUTHORIZATION_POLICY = Kind("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies")
REQUEST_AUTHENTICATION = Kind("security.istio.io/v1", "RequestAuthentication", "requestauthentications")
ENVOY_FILTER = Kind("networking.istio.io/v1alpha3", "EnvoyFilter", "envoyfilters")
NETWORK_POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
CLUSTER_STORAGE_CONTAINER = Kind(
    "serving.kserve.io/v1alpha1", "ClusterStorageContainer", "clusterstoragecontainers", namespaced=False
)
DESTINATION_RULE = Kind("networking.istio.io/v1", "DestinationRule", "destinationrules")
PEER_AUTHENTICATION = Kind("security.istio.io/v1", "PeerAuthentication", "peerauthentications")

KNOWN = [value for value in vars().values() if isinstance(value, Kind)]
