"""What services run on: the controllers of KServe and Istio, by where a profile says that they are."""

from dataclasses import dataclass

from tools.kube.client import Kube
from tools.kube.llm_service import Place


@dataclass(frozen=True)
class Platform:
    """A cluster with the stack installed, without regard to any service.

    Attributes:
        kube: the cluster.
        controller: Deployment of KServe's controller for LLMInferenceServices.
        istiod: Deployment of Istio's control plane.
        gateway_class: of the Gateways that services attach to.
        gateway_controller: `spec.controllerName` of that class.
    """

    kube: Kube
    controller: Place
    istiod: Place
    gateway_class: str
    gateway_controller: str = "istio.io/gateway-controller"
