"""The parts of a profile. Nothing here has a default: what a file does not say has that of schema.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of accelerators."""

    GPU = "gpu"
    TPU = "tpu"


class Mesh(StrEnum):
    """How server pods take part in the mesh."""

    NONE = "none"
    SIDECAR = "sidecar"
    AMBIENT = "ambient"


class Mtls(StrEnum):
    """What the mesh demands of connections to server pods."""

    STRICT = "strict"
    PERMISSIVE = "permissive"
    OFF = "off"


class FailureMode(StrEnum):
    """What the gateway does with a request for which the picker gives no answer, as in InferencePool."""

    OPEN = "FailOpen"
    CLOSE = "FailClose"


class PodSecurity(StrEnum):
    """Which of Kubernetes' Pod Security Standards the service's namespace enforces."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    NONE = "none"


class Isolation(StrEnum):
    """How NetworkPolicies isolate the service's namespace."""

    DEFAULT_DENY = "default-deny"
    NONE = "none"


@dataclass(frozen=True)
class Accelerator:
    """What a replica runs on.

    Attributes:
        kind: GPU or TPU.
        name: what people call it, for example `NVIDIA T4`.
        resource: extended resource that the server's container asks for.
        count: how many per replica.
        node_labels: labels of the node.
    """

    kind: Kind
    name: str
    resource: str
    count: int
    node_labels: Mapping[str, str]


@dataclass(frozen=True)
class Authorization:
    """Who may ask the servers, by who they are in the mesh.

    Attributes:
        enforced: whether AuthorizationPolicies let the Gateway ask and refuse others.
        namespaces: besides the Gateway, pods of these may ask.
    """

    enforced: bool
    namespaces: tuple[str, ...]


@dataclass(frozen=True)
class Picker:
    """The endpoint picker.

    Attributes:
        tls: whether it serves TLS, so that the gateway has to speak it.
        verified: whether the gateway checks its certificate.
        failure_mode: of the InferencePool that refers to it.
    """

    tls: bool
    verified: bool
    failure_mode: FailureMode


@dataclass(frozen=True)
class Observability:
    """What can be seen of a service in operation.

    Attributes:
        metrics: servers, picker and proxies expose metrics.
        prometheus: a Prometheus collects them.
        kiali, jaeger: these are there and show the service.
        prometheus_at, kiali_at, jaeger_at: where they are asked, as `NAMESPACE/SERVICE:PORT`.
    """

    metrics: bool
    prometheus: bool
    kiali: bool
    jaeger: bool
    prometheus_at: str
    kiali_at: str
    jaeger_at: str


@dataclass(frozen=True)
class Golden:
    """How the model goes on with a text.

    Attributes:
        prompt: the text.
        answer: what follows, at temperature 0 and with seed 0.
    """

    prompt: str
    answer: str


@dataclass(frozen=True)
class SecretReference:
    """A Secret in the service's namespace. Its values are never read.

    Attributes:
        name: of the Secret.
        keys: that it must have.
    """

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Secrets:
    """Secrets that the service needs; None where it needs none.

    Attributes:
        pull: for the registry.
        token: for the download of the model.
    """

    pull: SecretReference | None
    token: SecretReference | None


@dataclass(frozen=True)
class Controllers:
    """One name for each controller: its namespace, or its Deployment.

    Attributes:
        kserve: of the controller for LLMInferenceServices.
        istio: of Istio's control plane for the gateway.
    """

    kserve: str
    istio: str


@dataclass(frozen=True)
class Load:
    """What the service must do under load; None where nothing is promised.

    Attributes:
        ttft_p95_ms: 95 % of requests have their first token in this time.
        tpot_p95_ms: 95 % of requests have no more than this per further token.
        e2e_p95_ms: 95 % of requests are answered in full in this time.
        output_tokens_per_second: floor for the sum over all requests.
        error_rate: ceiling for the share of requests that fail, from 0 to 1.
    """

    ttft_p95_ms: float | None
    tpot_p95_ms: float | None
    e2e_p95_ms: float | None
    output_tokens_per_second: float | None
    error_rate: float | None


@dataclass(frozen=True)
class Budgets:
    """What things may take, in seconds.

    Attributes:
        ready_seconds: from applying the service until it is Ready.
        answers_seconds: from Ready until completions are answered.
        sync_seconds: until proxies have what istiod sent.
        removal_seconds: until a deleted service and its namespace are gone.
        load: under load.
    """

    ready_seconds: float
    answers_seconds: float
    sync_seconds: float
    removal_seconds: float
    load: Load


@dataclass(frozen=True)
class Signoff:
    """When a run may be signed off, beside the rules that always hold.

    Always: every core case passed, versions are in their ranges, no skip has expired.

    Attributes:
        minimum_executed: cases that must have been executed for the accelerator.
        prove_rate_minimum: share of the cases, from 0 to 1, that must have been proven.
        budgets_certified: whether every stated load budget must have been measured and kept.
    """

    minimum_executed: int
    prove_rate_minimum: float
    budgets_certified: bool
