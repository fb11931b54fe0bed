"""Faults of the pool and of its picker."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.faults import admitted
from tools.faults.admitted import from_gateway
from tools.faults.common import fault_labels, recreatable, scaled, wait_for_answer, wait_ready, wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge, gone
from tools.kube.kinds import DEPLOYMENT, POD, POOL
from tools.kube.llm_service import PICKER_LABELS, LlmService
from tools.kube.picker_path import SIDECAR
from tools.netpolicy.facts import Pods
from tools.openai.client import Client
from tools.waiting.timeouts import seconds

_LABEL = "llmisvc-conformance/fault"

# Nothing listens there.
_SILENT = 8001


@fault()
def picker_stopped(service: LlmService) -> Iterator[None]:
    """No picker runs. The pool fails open, so completions go on being answered."""
    with controller_held(service), scaled(service.kube, service.namespace, service.children["picker"][1], 0):
        wait_for_answer(service, "completions are 200, unpicked", Client.complete, lambda reply: reply.status == 200)
        yield


@fault()
def picker_in_mesh(service: LlmService) -> Iterator[None]:
    """The picker's pods are made anew with a sidecar.

    By hand: KServe has the scheduler's labels in the Deployment's selector, which nobody can change.
    """
    before = recreatable(service.child("picker"))
    inside = copy.deepcopy(before)
    for labels in (inside["spec"]["selector"]["matchLabels"], inside["spec"]["template"]["metadata"]["labels"]):
        labels["sidecar.istio.io/inject"] = "true"
    picker = Pods(service.namespace, service.child("picker service")["spec"]["selector"])
    # Its sidecar asks istiod, which a picker has no need of.
    with controller_held(service), admitted.out_of(service, picker, f"{service.name}-picker-in-mesh"):
        try:
            _replace_picker(service, inside, with_sidecar=True)
            wait_for_answer(service, "completions are 500", Client.complete, lambda reply: reply.status == 500)
            yield
        finally:
            _replace_picker(service, before, with_sidecar=False)
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)
    wait_ready(service)


@fault()
def pool_selects_nothing(service: LlmService) -> Iterator[None]:
    """The pool's selector matches no pod."""
    selector = service.child("pool")["spec"]["selector"]
    with _pool_changed(service, {"selector": {"matchLabels": {_LABEL: "nobody"}}}, {"selector": selector}):
        yield


@fault()
def pool_of_another_port(service: LlmService) -> Iterator[None]:
    """The pool sends requests to a port on which no server listens."""
    ports = service.child("pool")["spec"]["targetPorts"]
    servers = Pods(service.namespace, {"app.kubernetes.io/name": service.name, "kserve.io/component": "workload"})
    with (
        # Policies would drop what the servers refuse, and it is the refusal that this is about.
        from_gateway(service, servers, _SILENT, f"{service.name}-silent"),
        _pool_changed(service, {"targetPorts": [{"number": _SILENT}]}, {"targetPorts": ports}),
    ):
        wait_for_answer(service, "completions are not 200", Client.complete, lambda reply: reply.status != 200)
        yield


@fault()
def pool_without_picker(service: LlmService) -> Iterator[None]:
    """The pool names a picker Service that does not exist."""
    reference = service.child("pool")["spec"]["endpointPickerRef"]
    changed = {"endpointPickerRef": reference | {"name": "no-such-service"}}
    with _pool_changed(service, changed, {"endpointPickerRef": reference}):
        yield


@fault()
def failure_mode_flipped(service: LlmService) -> Iterator[None]:
    """The pool's failureMode is the other one: what happens without its picker is not what was promised."""
    reference = service.child("pool")["spec"]["endpointPickerRef"]
    other = "FailOpen" if reference.get("failureMode", "FailClose") == "FailClose" else "FailClose"
    with _pool_changed(
        service, {"endpointPickerRef": reference | {"failureMode": other}}, {"endpointPickerRef": reference}
    ):
        yield


@fault()
def stray_member(service: LlmService) -> Iterator[None]:
    """A pod that is no server carries the servers' labels, so the pool takes it in."""
    server = service.pods()[0]
    name = f"{service.name}-stray"
    labels = {key: value for key, value in server["metadata"]["labels"].items() if key in _POOL_LABELS}
    container = next(each for each in server["spec"]["containers"] if each["name"] == "main")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        # Without the sidecar it starts and ends at once.
        "metadata": {
            "name": name,
            "namespace": service.namespace,
            "labels": labels | {"sidecar.istio.io/inject": "false"} | fault_labels(service, "stray_member"),
        },
        "spec": {
            "nodeName": server["spec"]["nodeName"],
            "terminationGracePeriodSeconds": 1,
            "containers": [
                {
                    "name": "main",
                    "image": container["image"],
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sleep", "3600"],
                }
            ],
        },
    }
    selection = Selection(POD, service.namespace, name)
    try:
        service.kube.create(pod)
        wait_until(service, POD, name, "the stray pod to run", pods.is_ready)
        yield
    finally:
        service.kube.delete(POD, name, service.namespace)
        converge(service.kube, "the stray pod to be gone", selection, gone, budget=seconds("fault-effect"))


_POOL_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "kserve.io/component")


@contextmanager
def _pool_changed(service: LlmService, change: dict[str, Any], before: dict[str, Any]) -> Iterator[None]:
    kube, namespace = service.kube, service.namespace
    name = service.children["pool"][1]
    with controller_held(service):
        try:
            # A JSON patch replaces whole values, where a merge would keep old keys.
            kube.patch(POOL, name, namespace, _replacing(change), how="json")
            wait_until(
                service, POOL, name, "the change", lambda it: all(it["spec"][key] == change[key] for key in change)
            )
            yield
        finally:
            kube.patch(POOL, name, namespace, _replacing(before), how="json")
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


def _replace_picker(service: LlmService, deployment: Object, *, with_sidecar: bool) -> None:
    """Delete the picker's Deployment, make another, and wait until only its pods are there, and ready."""
    kube, namespace = service.kube, service.namespace
    kube.delete(DEPLOYMENT, deployment["metadata"]["name"], namespace, cascade="Foreground")
    chosen = Selection(DEPLOYMENT, namespace, deployment["metadata"]["name"])
    converge(kube, "the old picker to be gone", chosen, gone, budget=seconds("fault-recovery"))
    kube.apply(deployment)

    def decide(found: list[Object]) -> str:
        wrong = [pod for pod in found if (pods.container(pod, SIDECAR) is not None) != with_sidecar]
        good = found and not wrong and all(pods.is_ready(pod) for pod in found)
        return "" if good else "; ".join(pods.line(pod) for pod in found) or "no pods"

    selection = Selection(POD, namespace, labels=PICKER_LABELS.format(name=service.name))
    converge(kube, "other picker pods", selection, decide, budget=seconds("fault-recovery"))


def _replacing(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"op": "replace", "path": f"/spec/{key}", "value": value} for key, value in values.items()]
