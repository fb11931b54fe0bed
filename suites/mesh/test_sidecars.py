"""Server pods are in the mesh, as the profile promises, and the picker is not."""

from tools.explain import bullets, check
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.metrics import envoy

SIDECAR = "istio-proxy"


def test_servers_have_a_ready_sidecar(service: LlmService) -> None:
    """Every server pod has Istio's sidecar, as an ordinary or a native one, and it is ready."""
    found = service.pods()
    wrong = [f"{pod['metadata']['name']}: {what}" for pod in found if (what := _lack(pod))]
    check(
        bool(found) and not wrong,
        f"container {SIDECAR} in every server pod, ready",
        bullets(wrong) if found else "there is no server pod",
        cause="the namespace has no label istio-injection=enabled, or had none when the pod was made",
        next_step=service.kube.kubectl("get", "namespace", service.namespace, "--show-labels"),
    )


def test_sidecars_are_in_sync(service: LlmService) -> None:
    """Every sidecar has taken all of istiod's configuration and refused none of it."""
    found = {pod["metadata"]["name"]: envoy.state(service.kube, service.namespace, pod) for pod in service.pods()}
    wrong = [f"{name}: {what}" for name, state in found.items() for what in state.trouble]
    check(
        bool(found) and not wrong,
        "sidecars that are live, have clusters and listeners from istiod, and refused no update",
        bullets(wrong) if found else "there is no server pod",
        cause="istiod is not reached (15012), or sends a filter that this Envoy does not have",
        next_step=service.kube.kubectl("-n", "istio-system", "logs", "deployment/istiod", "--tail=50"),
    )


def test_picker_has_no_sidecar(service: LlmService) -> None:
    """The picker's pods have no sidecar: it would refuse the gateway's stream, and every completion would be a 500."""
    found = service.picker_pods()
    wrong = [pod["metadata"]["name"] for pod in found if pods.container(pod, SIDECAR)]
    check(
        bool(found) and not wrong,
        f"picker pods without {SIDECAR}",
        f"{wrong} have it" if found else "there is no picker pod",
        cause='spec.router.scheduler.labels lacks sidecar.istio.io/inject: "false"',
        next_step=service.kubectl("get", "pods", "--show-labels"),
    )


def _lack(pod: Object) -> str:
    container, status = pods.container(pod, SIDECAR), pods.container_status(pod, SIDECAR)
    if container is None:
        return f"has no {SIDECAR}"
    native = any(each["name"] == SIDECAR for each in pod["spec"].get("initContainers", []))
    if native and container.get("restartPolicy") != "Always":
        return f"{SIDECAR} is an init container that ends before the server starts"
    return "" if status and status.get("ready") else f"{SIDECAR} is not ready"
