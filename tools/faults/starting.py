"""Faults of a server's start: a second pod whose container is never made, beside the one that serves on."""

from collections.abc import Iterator

from tools.faults.fault import fault
from tools.faults.revision import Change, beside, waits
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import NAMESPACE, POD
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService
from tools.waiting.timeouts import seconds

_GATEWAY = "gateway.networking.k8s.io/gateway-name"
_PULLS = ("ErrImagePull", "ImagePullBackOff")


@fault()
def image_name_invalid(service: LlmService) -> Iterator[None]:
    """A second server pod has an image whose name no registry could have."""
    with beside(service, _image("Registry.example.com/VLLM:latest"), waits("InvalidImageName")):
        yield


@fault()
def registry_unreachable(service: LlmService) -> Iterator[None]:
    """A second server pod has an image of a registry whose name cannot be resolved."""
    with beside(service, _image("registry.invalid/vllm:none"), waits(*_PULLS)):
        yield


@fault()
def secret_missing(service: LlmService) -> Iterator[None]:
    """A second server pod takes its token from a Secret that does not exist."""
    with beside(service, _token_from("hf-token", "HF_TOKEN"), waits("CreateContainerConfigError")):
        yield


@fault()
def secret_key_missing(service: LlmService) -> Iterator[None]:
    """A second server pod takes its token from a key that the Secret does not have."""
    secret = pull_secret_of(service)
    with beside(service, _token_from(secret, "token"), waits("CreateContainerConfigError")):
        yield


@fault()
def gateway_image_missing(service: LlmService) -> Iterator[None]:
    """A second pod of the Gateway, beside the one that serves on, has an image that cannot be pulled."""
    kube, gateway = service.kube, service.gateway
    labels = made_for(kube.get(NAMESPACE, service.namespace), "gateway_image_missing")
    # Of its own, and not by the Gateway's Deployment, which Istio would put right.
    again: Object = {
        "apiVersion": POD.api,
        "kind": POD.kind,
        "metadata": {
            "name": f"{gateway.name}-again",
            "namespace": gateway.namespace,
            "labels": labels | {_GATEWAY: gateway.name, "sidecar.istio.io/inject": "false"},
        },
        "spec": {
            "tolerations": [{"operator": "Exists"}],
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "istio-proxy", "image": "registry.invalid/proxyv2:none"}],
        },
    }
    chosen = Selection(POD, gateway.namespace, again["metadata"]["name"])
    try:
        kube.apply(again)
        converge(kube, "the fault in effect", chosen, _unpulled, budget=seconds("fault-effect"))
        yield
    finally:
        kube.delete(POD, again["metadata"]["name"], gateway.namespace)
        converge(kube, "the pod to be gone", chosen, gone, budget=seconds("fault-recovery"))


def pull_secret_of(service: LlmService) -> str:
    """Name of the first pull Secret that the servers refer to.

    Raises:
        RuntimeError: they refer to none.
    """
    spec = service.child("workload")["spec"]["template"]["spec"]
    for each in spec.get("imagePullSecrets", []):
        return str(each["name"])
    raise RuntimeError("the servers have no pull Secret")


def _image(name: str) -> Change:
    def change(_: Object, container: Object) -> None:
        container["image"] = name
        container["imagePullPolicy"] = "IfNotPresent"

    return change


def _token_from(secret: str, key: str) -> Change:
    def change(_: Object, container: Object) -> None:
        source = {"secretKeyRef": {"name": secret, "key": key}}
        container.setdefault("env", []).append({"name": "LLMISVC_CONFORMANCE_TOKEN", "valueFrom": source})

    return change


def _unpulled(found: list[Object]) -> str:
    good = bool(found) and waits(*_PULLS)(found[0])
    return "" if good else "; ".join(pods.line(each) for each in found) or "no pod"
