"""What evidence is about, and where the components are that had to do with it."""

from collections.abc import Collection
from dataclasses import dataclass

from tools.kube.llm_service import Place

KSERVE = Place("kserve", "llmisvc-controller-manager")
ISTIOD = Place("istio-system", "istiod")


@dataclass(frozen=True)
class Subject:
    """A service, and what serves it.

    Attributes:
        namespace: of the LLMInferenceService.
        name: its name; empty for all of the namespace.
        gateway: the Gateway; None for those of the namespace and those that its routes attach to.
        controller: Deployment of KServe's controller.
        istiod: Deployment of Istio's control plane.
        user_agents: of the case's requests, by which the gateway's access log is read.
    """

    namespace: str
    name: str = ""
    gateway: Place | None = None
    controller: Place = KSERVE
    istiod: Place = ISTIOD
    user_agents: Collection[str] = ()
