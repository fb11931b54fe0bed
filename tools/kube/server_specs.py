"""Specifications of a service's servers: what the next pod gets, and what the running ones have."""

from dataclasses import dataclass

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.llm_service import SERVER_CONTAINER, LlmService


@dataclass(frozen=True)
class Spec:
    """A pod's specification.

    Attributes:
        where: the object that has it.
        pod: `spec` of the pod.
        container: the server's in it; empty if it has none.
    """

    where: str
    pod: Object
    container: Object


def template(service: LlmService) -> Spec:
    """What the next server pod gets; raise Violation where there is no Deployment."""
    deployment = service.child("workload")
    return _spec(f"Deployment {deployment['metadata']['name']}", deployment["spec"]["template"]["spec"])


def specs(service: LlmService) -> list[Spec]:
    """The same, and that of every server pod."""
    running = [_spec(f"pod {pod['metadata']['name']}", pod["spec"]) for pod in service.pods()]
    return [template(service), *running]


def limit(spec: Spec, resource: str) -> int:
    """How many accelerators the server is limited to."""
    return int(spec.container.get("resources", {}).get("limits", {}).get(resource, 0))


def _spec(where: str, pod: Object) -> Spec:
    return Spec(where, pod, pods.container({"spec": pod}, SERVER_CONTAINER) or {})
