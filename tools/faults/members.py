"""Faults of what stands beside the pool: pods, other pools, the former API's twin, the Services of picker and Istio."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.faults.common import wait_for_answer, wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held, istiod_held
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import NAMESPACE, OLD_POOL, POD, POOL, SERVICE
from tools.kube.labels import made_for
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.openai.client import Client
from tools.waiting.timeouts import seconds

_POOL_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "kserve.io/component")


@fault()
def pod_of_another_model(service: LlmService) -> Iterator[None]:
    """A server of another model carries the labels of the pool's servers: a part of the requests is sent there."""
    server = service.pods()[0]
    labels = {key: value for key, value in server["metadata"]["labels"].items() if key in _POOL_LABELS}
    command = ["vllm", "serve", "another/model", "--served-model-name", "another/model", "--port", "8000"]
    ready = {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1}
    container = {"command": command, "ports": [{"containerPort": 8000}], "readinessProbe": ready}
    with _pod_beside(service, server, "another", labels, container, "pod_of_another_model"):
        wait_for_answer(service, "some completions are 404", Client.complete, lambda it: it.status == 404, in_a_row=1)
        yield


@fault()
def stray_picker(service: LlmService) -> Iterator[None]:
    """A pod that is no picker carries the picker's labels, so that the gateway asks it as well."""
    labels = service.child("picker service")["spec"]["selector"]
    container = {
        "command": ["sleep", "3600"],
        "ports": [{"name": "grpc", "containerPort": 9002}],
    }
    with _pod_beside(service, service.pods()[0], "stray-picker", labels, container, "stray_picker"):
        yield


@fault()
def second_pool(service: LlmService) -> Iterator[None]:
    """Another pool, with a picker of its own making, selects the same servers."""
    kube, namespace, name = service.kube, service.namespace, f"{service.name}-second-pool"
    spec = service.child("pool")["spec"]
    labels = made_for(kube.get(NAMESPACE, namespace), "second_pool")
    meta = {"name": name, "namespace": namespace, "labels": labels}
    try:
        kube.apply({"apiVersion": POOL.api, "kind": POOL.kind, "metadata": meta, "spec": spec})
        yield
    finally:
        kube.delete(POOL, name, namespace)


@fault()
def twin_of_another_port(service: LlmService) -> Iterator[None]:
    """The pool of the former API names another port than today's: a gateway that reads that one is led astray."""
    kube, namespace, name = service.kube, service.namespace, service.children["pool"][1]
    before = kube.get(OLD_POOL, name, namespace)["spec"]["targetPortNumber"]
    with controller_held(service):
        try:
            kube.patch(OLD_POOL, name, namespace, {"spec": {"targetPortNumber": 8001}})
            yield
        finally:
            kube.patch(OLD_POOL, name, namespace, {"spec": {"targetPortNumber": before}})


@fault()
def pool_of_another_picker_port(service: LlmService) -> Iterator[None]:
    """The pool names a port that the picker's Service does not have."""
    reference = service.child("pool")["spec"]["endpointPickerRef"]
    kube, namespace, name = service.kube, service.namespace, service.children["pool"][1]
    with controller_held(service):
        try:
            kube.patch(POOL, name, namespace, _reference(reference | {"port": {"number": 9999}}), how="json")
            yield
        finally:
            kube.patch(POOL, name, namespace, _reference(reference), how="json")
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def picker_service_selects_nothing(service: LlmService) -> Iterator[None]:
    """The picker's Service selects no pod: its pods run, and the gateway finds none."""
    kube, namespace, name = service.kube, service.namespace, service.children["picker service"][1]
    before = service.child("picker service")["spec"]["selector"]
    with controller_held(service):
        try:
            kube.patch(SERVICE, name, namespace, _selector({"llmisvc-conformance/fault": "nobody"}), how="json")
            yield
        finally:
            kube.patch(SERVICE, name, namespace, _selector(before), how="json")
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def shadow_of_another_picker(service: LlmService) -> Iterator[None]:
    """Istio's Service for the pool names another picker, and istiod is kept from putting it right."""
    kube, namespace = service.kube, service.namespace
    pool = service.children["pool"][1]
    shadow = kube.objects(SERVICE, namespace, labels=f"istio.io/inferencepool-name={pool}")[0]["metadata"]
    label = "istio.io/inferencepool-extension-service"
    with istiod_held(service, "services"):
        try:
            kube.patch(SERVICE, shadow["name"], namespace, {"metadata": {"labels": {label: "no-such-picker"}}})
            yield
        finally:
            kube.patch(SERVICE, shadow["name"], namespace, {"metadata": {"labels": shadow["labels"]}})


@contextmanager
def _pod_beside(
    service: LlmService, server: Object, stem: str, labels: dict[str, str], container: dict[str, Any], fault_name: str
) -> Iterator[None]:
    """A pod of the server's image on the server's node, without a sidecar, ready while entered."""
    kube, namespace, name = service.kube, service.namespace, f"{service.name}-{stem}"
    image = next(each["image"] for each in server["spec"]["containers"] if each["name"] == SERVER_CONTAINER)
    # Without the sidecar it starts and ends at once.
    marks = {"sidecar.istio.io/inject": "false"} | made_for(kube.get(NAMESPACE, namespace), fault_name)
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels | marks},
        "spec": {
            "nodeName": server["spec"]["nodeName"],
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {"name": SERVER_CONTAINER, "image": image, "imagePullPolicy": "IfNotPresent", **container},
            ],
        },
    }
    try:
        kube.create(pod)
        wait_until(service, POD, name, f"pod {name} to be ready", pods.is_ready)
        yield
    finally:
        kube.delete(POD, name, namespace)
        chosen = Selection(POD, namespace, name)
        converge(kube, f"pod {name} to be gone", chosen, gone, budget=seconds("fault-effect"))


def _reference(value: Object) -> list[Object]:
    return [{"op": "replace", "path": "/spec/endpointPickerRef", "value": value}]


def _selector(value: Object) -> list[Object]:
    return [{"op": "replace", "path": "/spec/selector", "value": value}]
