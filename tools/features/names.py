"""The kinds that detection asks for, and the controllers that serve some of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Api:
    """A kind defined by a CustomResourceDefinition.

    Attributes:
        feature: name of the feature that it is or belongs to.
        group, plural: of the kind.
        version: that has to be served; empty if any will do.
        controllers: values of the label `app.kubernetes.io/name` or `app.kubernetes.io/part-of` of the Deployment
            without which the kind is only stored; empty if the feature is the kind alone.
    """

    feature: str
    group: str
    plural: str
    version: str = ""
    controllers: tuple[str, ...] = ()

    @property
    def crd(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{self.group}"


APIS = (
    Api("llm-inference-service", "serving.kserve.io", "llminferenceservices"),
    Api("llm-inference-service-config", "serving.kserve.io", "llminferenceserviceconfigs"),
    Api("gateway-api", "gateway.networking.k8s.io", "gateways"),
    Api("http-route", "gateway.networking.k8s.io", "httproutes"),
    Api("inference-pool-v1", "inference.networking.k8s.io", "inferencepools", "v1"),
    Api("inference-pool-v1alpha2", "inference.networking.x-k8s.io", "inferencepools", "v1alpha2"),
    Api("leader-worker-set", "leaderworkerset.x-k8s.io", "leaderworkersets", "v1", ("lws",)),
    Api("keda", "keda.sh", "scaledobjects", "", ("keda-operator",)),
    Api("wva", "llmd.ai", "variantautoscalings", "", ("workload-variant-autoscaler",)),
    Api(
        "prometheus-operator",
        "monitoring.coreos.com",
        "servicemonitors",
        "",
        ("prometheus-operator", "kube-prometheus-stack-prometheus-operator"),
    ),
    Api("cert-manager", "cert-manager.io", "certificates", "", ("cert-manager",)),
)

# `app.kubernetes.io/part-of` of the operator that installs Istio: upstream's, and OpenShift Service Mesh's.
SAIL = ("sailoperator", "sail-operator", "servicemesh-operator3")

CHANNEL = "gateway.networking.k8s.io/channel"
# By group: annotation with the version of the bundle that a definition belongs to, and the component that it tells.
BUNDLES = {
    "gateway.networking.k8s.io": ("gateway.networking.k8s.io/bundle-version", "gateway-api"),
    "inference.networking.k8s.io": ("inference.networking.k8s.io/bundle-version", "inference-extension"),
}
