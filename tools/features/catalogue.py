"""All features by name: what each means, and what it is read from. `docs/features.md` is made of this."""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.features.feature import Settings


@dataclass(frozen=True)
class Entry:
    """A feature that may be asked for.

    Attributes:
        name: stable short name.
        means: what a cluster has that has it.
        source: what it is read from.
    """

    name: str
    means: str
    source: str


_CRD = "discovery; CustomResourceDefinition (versions, stored versions, annotations)"
_ADDITION = f"{_CRD}; Deployments by label"

_FIXED = (
    Entry("kubernetes", "an API server that tells its version", "`/version`"),
    Entry("native-sidecars", "API server and all kubelets are 1.29 or newer", "`/version`; nodes"),
    Entry("validating-admission-policy", "ValidatingAdmissionPolicy is served", "discovery"),
    Entry("llm-inference-service", "LLMInferenceService is served", _CRD),
    Entry("llm-inference-service-config", "LLMInferenceServiceConfig is served", _CRD),
    Entry("gateway-api", "Gateway is served; bundle version and channel are told", _CRD),
    Entry("http-route", "HTTPRoute is served", _CRD),
    Entry("inference-pool-v1", "InferencePool of `inference.networking.k8s.io/v1` is served", _CRD),
    Entry("inference-pool-v1alpha2", "InferencePool of `inference.networking.x-k8s.io/v1alpha2` is served", _CRD),
    Entry("leader-worker-set", "LeaderWorkerSet is served and its controller is installed", _ADDITION),
    Entry("keda", "ScaledObject is served and KEDA is installed", _ADDITION),
    Entry("wva", "VariantAutoscaling is served and llm-d's autoscaler is installed", _ADDITION),
    Entry("prometheus-operator", "ServiceMonitor is served and the operator is installed", _ADDITION),
    Entry("cert-manager", "Certificate is served and cert-manager is installed", _ADDITION),
    Entry(
        "kserve",
        "KServe's controller for LLMInferenceServices is installed where the profile says",
        "Deployment (image, status)",
    ),
    Entry(
        "istiod",
        "a control plane of Istio is installed",
        "Deployments with label `app=istiod`; `/version` of one, where ports may be forwarded",
    ),
    Entry(
        "endpoint-picker",
        "a preset deploys an endpoint picker",
        "LLMInferenceServiceConfigs of KServe's namespace (image)",
    ),
    Entry(
        "sail-operator",
        "Istio is installed by the sail operator (OpenShift Service Mesh)",
        "Deployments by label; objects Istio (`spec.version`, `status.state`)",
    ),
    Entry(
        "gateway-class",
        "there is the GatewayClass that the profile names",
        "GatewayClasses (`spec.controllerName`, condition Accepted)",
    ),
    Entry(
        "istio-inference",
        "Istio routes to InferencePools: 1.27 to v1alpha2, 1.28 and newer to v1",
        "istiod's `ENABLE_GATEWAY_API_INFERENCE_EXTENSION` and version",
    ),
    Entry(
        "sidecar-injection",
        "a mutating webhook injects sidecars; its revision is told",
        "MutatingWebhookConfigurations with label `app=sidecar-injector`",
    ),
    Entry("ambient", "ztunnel is installed", "DaemonSets"),
    Entry(
        "strict-mtls",
        "mutual TLS is demanded in the service's namespace, or mesh-wide where that is not known yet",
        "PeerAuthentications without selector",
    ),
    Entry(
        "network-policy-enforcement",
        "a NetworkPolicy has an effect; not told without the canary",
        "a canary: two pods, default-deny, a positive control before and after; otherwise only DaemonSets of engines",
    ),
    Entry("istio-metrics", "`istio_requests_total` is configured and the proxy can count it",
          "ConfigMap `istio`, Telemetries; `/server_info` of a gateway's proxy, where ports may be forwarded"),
    Entry(
        "prometheus",
        "a Prometheus runs in the cluster, or Google's managed one",
        "pods with label `app.kubernetes.io/name=prometheus`; discovery",
    ),
    Entry("tracing", "the mesh sends traces", "ConfigMap `istio`, Telemetries"),
    Entry(
        "idle-counters",
        "nobody else uses the service: its counters stand still while the suite does nothing",
        "`/metrics` of its servers, twice",
    ),
)  # fmt: skip


def entries(kinds: Iterable[str] = tuple(Settings().accelerators)) -> list[Entry]:
    """All features, with those of these kinds of accelerators."""
    accelerators = [
        entry
        for kind in kinds
        for entry in (
            Entry(
                f"accelerators-{kind}",
                f"a node has accelerators of kind `{kind}` to allocate",
                "nodes (`status.allocatable`, labels of the product)",
            ),
            Entry(
                f"device-plugin-{kind}",
                "a vendor's device plugin stands behind them, no stand-in",
                "DaemonSets (name, image, ready pods); manifests/stack/standins.yaml on the local cluster",
            ),
        )
    ]
    return [*_FIXED, *accelerators]


NAMES = frozenset(entry.name for entry in entries())


def page() -> str:
    """docs/features.md."""
    rows = "".join(f"| `{each.name}` | {each.means} | {each.source} |\n" for each in entries())
    return _PAGE + rows


_PAGE = """# Features

What a cluster has or lacks. A case that needs one says so, and is NOT SUPPORTED where the cluster lacks it. Every
feature is told with its evidence: the path, object, field or header that it was read from. Shown in pytest's head in
short, and in full in every report.

- **yes** or **no** is about what is installed, not whether it is well: a controller that crashes is a failure that
  cases find, never a missing feature.
- **?** is what could not be told, with the reason: a right that the user lacks, or no answer. It is never taken for
  a no.
- Detection reads only. Two features need more, and are not told without it: `network-policy-enforcement` needs a
  namespace for the canary's pods, `idle-counters` a deployed service. Forwarding a port needs the right to create
  `pods/portforward`; without it, versions and filters are those of the configuration.

Made by `python -m tools.features > docs/features.md`; a test keeps it true.

| feature | a cluster has it if | read from |
|---|---|---|
"""
