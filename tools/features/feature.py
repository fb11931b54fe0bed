"""A feature of a cluster, and what detection goes by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.report.record import FeatureRecord


@dataclass(frozen=True)
class Feature:
    """Something that the cluster has or lacks.

    Attributes:
        name: stable short name, one of `tools.features.catalogue`.
        present: True, False, or None where it could not be told.
        have: what was found, in words.
        evidence: the path, object, field or header that it was read from.
        versions: what it says about versions, by component, for example `{"kserve": "0.19.0"}`.
    """

    name: str
    present: bool | None
    have: str
    evidence: str
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def record(self) -> FeatureRecord:
        """As the record of a run has it."""
        return FeatureRecord(self.name, self.present, self.have, self.evidence)


@dataclass(frozen=True)
class Settings:
    """Where a profile says that things are.

    Attributes:
        namespace: of the service under test; empty if it is not known yet.
        kserve_namespace, kserve_controller: Deployment of KServe's controller for LLMInferenceServices.
        istio_namespace: of Istio's control plane, and its root namespace.
        gateway_class: that the service's Gateway is to have.
        accelerators: extended resource by kind of accelerator.
        standins: ids of manifests/stack/standins.yaml that are known to be in use.
        ask_pods: whether ports of pods may be forwarded, which needs the right to create `pods/portforward`: for the
            words of istiod and of a proxy about themselves.
    """

    namespace: str = ""
    kserve_namespace: str = "kserve"
    kserve_controller: str = "llmisvc-controller-manager"
    istio_namespace: str = "istio-system"
    gateway_class: str = "istio"
    accelerators: Mapping[str, str] = field(default_factory=lambda: {"gpu": "nvidia.com/gpu", "tpu": "google.com/tpu"})
    standins: tuple[str, ...] = ()
    ask_pods: bool = True
