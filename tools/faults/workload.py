"""Faults of the servers, of the service's specification, and of what is beside it."""

import threading
from collections.abc import Iterator

from tools.faults.common import scaled, wait_for_answer, wait_ready, wait_until
from tools.faults.fault import Scope, fault
from tools.faults.hold import controller_held, kubelet_held
from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.conditions import conditions
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import DEPLOYMENT, LLM_SERVICE, NAMESPACE, NODE, POD
from tools.kube.llm_service import PART_OF, LlmService
from tools.kube.node_labels import changed
from tools.openai.client import Client
from tools.waiting.timeouts import seconds

_INJECTION = "istio-injection"


@fault()
def servers_stopped(service: LlmService) -> Iterator[None]:
    """No server runs."""
    with controller_held(service), scaled(service.kube, service.namespace, service.children["workload"][1], 0):
        wait_for_answer(service, "models are 503", Client.models, lambda reply: reply.status == 503)
        yield
    wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def rollout_stuck(service: LlmService) -> Iterator[None]:
    """The servers' Deployment is given an image that does not exist: the old pod serves on beside a stuck one."""
    kube, namespace = service.kube, service.namespace
    name = service.children["workload"][1]
    image = service.child("workload")["spec"]["template"]["spec"]["containers"][0]["image"]
    with controller_held(service):
        try:
            kube.patch(DEPLOYMENT, name, namespace, _with_image("localhost/no-such-image:none"), how="json")
            wait_until(service, DEPLOYMENT, name, "a new pod that does not start", _is_stuck)
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, _with_image(image), how="json")
            wait_until(service, DEPLOYMENT, name, "the old revision alone", _is_whole)


@fault()
def accelerators_dropped(service: LlmService) -> Iterator[None]:
    """The servers no longer ask for accelerators: pods are made anew, run on the same node and share what is there."""
    kube, namespace = service.kube, service.namespace
    name = service.children["workload"][1]
    before = service.child("workload")["spec"]["template"]["spec"]["containers"][0]["resources"]
    # Extended resources have a domain in their name.
    without = {how: {key: value for key, value in each.items() if "/" not in key} for how, each in before.items()}
    with controller_held(service):
        try:
            kube.patch(DEPLOYMENT, name, namespace, _with_resources(without), how="json")
            wait_until(service, DEPLOYMENT, name, "servers without accelerators", _is_whole)
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, _with_resources(before), how="json")
            wait_until(service, DEPLOYMENT, name, "servers with accelerators again", _is_whole)
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def preset_missing(service: LlmService) -> Iterator[None]:
    """The service refers to a configuration that does not exist."""
    kube, namespace, name = service.kube, service.namespace, service.name
    try:
        kube.patch(LLM_SERVICE, name, namespace, {"spec": {"baseRefs": [{"name": "no-such-config"}]}})
        wait_until(service, LLM_SERVICE, name, "PresetsCombined to be False", _lacks_presets)
        yield
    finally:
        kube.patch(LLM_SERVICE, name, namespace, {"spec": {"baseRefs": None}})
        wait_ready(service)


@fault()
def sidecars_missing(service: LlmService) -> Iterator[None]:
    """The namespace does not ask for sidecars, and the servers were made anew since."""
    kube, namespace = service.kube, service.namespace
    before = kube.get(NAMESPACE, namespace)["metadata"]["labels"].get(_INJECTION)
    try:
        kube.patch(NAMESPACE, namespace, "", {"metadata": {"labels": {_INJECTION: None}}})
        _replace_servers(service, with_sidecar=False)
        yield
    finally:
        kube.patch(NAMESPACE, namespace, "", {"metadata": {"labels": {_INJECTION: before}}})
        _replace_servers(service, with_sidecar=True)
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault(scope=Scope.CLUSTER)
def node_relabelled(service: LlmService) -> Iterator[None]:
    """The server's node says that it has another accelerator."""
    server = service.pods()[0]
    with changed(service.kube, server["spec"]["nodeName"], dict.fromkeys(server["spec"]["nodeSelector"], "another")):
        yield


@fault(scope=Scope.CLUSTER)
def devices_lost(service: LlmService) -> Iterator[None]:
    """The server's node has lost its accelerators, as when its device plugin dies: what runs there runs on."""
    kube, server = service.kube, service.pods()[0]
    node = server["spec"]["nodeName"]
    # Extended resources have a domain in their name.
    asked = [key for each in server["spec"]["containers"] for key in each["resources"].get("limits", {}) if "/" in key]
    before = kube.get(NODE, node)["status"]["allocatable"]
    with kubelet_held(service, node):
        try:
            found = _offering(kube, node, dict.fromkeys(asked, "0"))
            if {found["status"]["allocatable"][key] for key in asked} != {"0"}:
                raise RuntimeError(f"node {node} goes on offering {asked}")
            yield
        finally:
            # Its kubelet says the same again as soon as it may.
            _offering(kube, node, {key: before[key] for key in asked})


@fault()
def used_by_somebody_else(service: LlmService) -> Iterator[None]:
    """Somebody else sends completions all the time (at most one at once, for as long as the fault lasts)."""
    client = service.connection.client(service.url, "llmisvc-conformance (somebody else)")
    ended, began = threading.Event(), threading.Event()

    def use() -> None:
        while not ended.is_set():
            client.complete("Somebody else's question", max_tokens=2)
            began.set()

    thread = threading.Thread(target=use, name="somebody else")
    thread.start()
    try:
        if not began.wait(timeout=seconds("fault-effect")):
            raise RuntimeError("somebody else's first completion did not end")
        yield
    finally:
        ended.set()
        thread.join()
        client.close()


def _replace_servers(service: LlmService, *, with_sidecar: bool) -> None:
    """Delete the server pods and wait for others, with or without a sidecar, to be Ready in their place."""
    kube, namespace = service.kube, service.namespace
    old = {pod["metadata"]["name"] for pod in service.pods()}
    for name in old:
        kube.delete(POD, name, namespace)
    labels = f"{PART_OF},app.kubernetes.io/name={service.name},kserve.io/component=workload"

    def decide(found: list[Object]) -> str:
        names = {pod["metadata"]["name"] for pod in found}
        new = [pod for pod in found if pods.is_ready(pod) and pod["metadata"]["name"] not in old]
        wrong = [pod for pod in new if (pods.container(pod, "istio-proxy") is not None) != with_sidecar]
        if names & old or not new or wrong:
            return "; ".join(pods.line(pod) for pod in found) or "no pods"
        return ""

    converge(
        kube, "new server pods", Selection(POD, namespace, labels=labels), decide, budget=seconds("fault-recovery")
    )


def _offering(kube: Kube, node: str, allocatable: dict[str, str]) -> Object:
    return kube.patch(NODE, node, "", {"status": {"allocatable": allocatable}}, subresource="status")


def _with_image(image: str) -> list[dict[str, str]]:
    return [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]


def _with_resources(resources: Object) -> list[Object]:
    return [{"op": "replace", "path": "/spec/template/spec/containers/0/resources", "value": resources}]


def _is_stuck(deployment: Object) -> bool:
    status = deployment["status"]
    fresh: bool = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return fresh and status.get("updatedReplicas", 0) > 0 and status.get("unavailableReplicas", 0) > 0


def _is_whole(deployment: Object) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    fresh = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return fresh and counts == {wanted}


def _lacks_presets(found: Object) -> bool:
    condition = conditions(found).get("PresetsCombined")
    return condition is not None and condition.status == "False"
