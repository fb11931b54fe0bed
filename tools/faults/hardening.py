"""Faults of hardening: ports that were opened for debugging, containers that may more, tokens that are shown."""

import base64
from collections.abc import Callable, Iterator

from tools.explain import check
from tools.faults.changed import changed
from tools.faults.common import fault_labels, wait_for_answer, wait_until_available
from tools.faults.fault import Scope, fault
from tools.faults.revision import as_it_is, beside
from tools.kube import plaintext, pods
from tools.kube.client import Object
from tools.kube.kinds import DEPLOYMENT, ENVOY_FILTER, POD, SECRET
from tools.kube.llm_service import LlmService
from tools.kube.outside import admitted
from tools.openai.client import Client
from tools.probe.verdict import Verdict
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_ADMIN, _CONTROL = 15000, 9876
_TOKEN, _KEY = "huggingface-token", "HF_TOKEN"  # names, as the service's manifests have them


@fault()
def envoy_admin_opened(service: LlmService) -> Iterator[None]:
    """Sidecars have their admin port on all addresses, and it is not captured: left over from debugging."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-envoy-admin-opened"
    labels = {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}
    admin = {"admin": {"address": {"socket_address": {"address": "0.0.0.0", "port_value": _ADMIN}}}}
    document = {
        "apiVersion": ENVOY_FILTER.api,
        "kind": ENVOY_FILTER.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": fault_labels(service, "envoy_admin_opened")},
        "spec": {
            "workloadSelector": {"labels": labels},
            "configPatches": [{"applyTo": "BOOTSTRAP", "patch": {"operation": "MERGE", "value": admin}}],
        },
    }
    # Istio's agent asks istiod for its bootstrap only if it is told to.
    asks = '{"proxyMetadata": {"BOOTSTRAP_XDS_AGENT": "true"}}'
    open_port = {"traffic.sidecar.istio.io/excludeInboundPorts": str(_ADMIN), "proxy.istio.io/config": asks}
    try:
        kube.apply(document)
        # The bootstrap is read once, when a proxy starts.
        with beside(service, as_it_is, pods.is_ready, open_port), admitted(service, "seen-from-outside"):
            _await(service, lambda: [(pod, _ADMIN, "/server_info") for pod in service.servers()])
            try:
                yield
            finally:
                # Before the pod of the old template starts, which would read it, too.
                kube.delete(ENVOY_FILTER, name, namespace)
    finally:
        kube.delete(ENVOY_FILTER, name, namespace)
    wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault(scope=Scope.CLUSTER)
def control_opened(service: LlmService) -> Iterator[None]:
    """istiod's port for looking into it (ControlZ) is on all addresses: it asks nobody who they are."""
    kube, place = service.kube, service.istiod
    found = kube.get(DEPLOYMENT, place.name, place.namespace)["spec"]["template"]["spec"]["containers"]
    number = next(index for index, each in enumerate(found) if each["name"] == "discovery")
    opened = [*found[number].get("args", []), "--ctrlz_address=0.0.0.0"]

    def istiods() -> list[tuple[Object, int, str]]:
        there = kube.objects(POD, place.namespace, labels="app=istiod")
        return [(pod, _CONTROL, "/scopej") for pod in there if not pods.is_leaving(pod)]

    try:
        with changed(kube, DEPLOYMENT, place, {f"/spec/template/spec/containers/{number}/args": opened}):
            wait_until_available(kube, place)
            _await(service, istiods)
            yield
    finally:
        wait_until_available(kube, place)


@fault()
def server_unrestricted(service: LlmService) -> Iterator[None]:
    """A second server pod may raise its privileges, and has a capability."""

    def change(_: Object, container: Object) -> None:
        capabilities = {"drop": ["ALL"], "add": ["NET_RAW"]}
        container["securityContext"] = {"allowPrivilegeEscalation": True, "capabilities": capabilities}

    with beside(service, change, lambda pod: bool(pod["spec"].get("nodeName"))):
        yield


@fault()
def token_in_clear(service: LlmService) -> Iterator[None]:
    """A second server pod has the token itself in its environment, in place of a reference to the Secret."""
    value = _token(service)

    def change(_: Object, container: Object) -> None:
        container.setdefault("env", []).append({"name": _KEY, "value": value})

    with beside(service, change, lambda pod: bool(pod["spec"].get("nodeName"))):
        yield


@fault()
def token_logged(service: LlmService) -> Iterator[None]:
    """A second server pod has a container that prints the environment when it starts, as for debugging."""
    source = {"secretKeyRef": {"name": _TOKEN, "key": _KEY}}

    def change(spec: Object, container: Object) -> None:
        printing = {
            "name": "print-environment",
            "image": container["image"],
            "imagePullPolicy": "IfNotPresent",
            "command": ["env"],
            "env": [{"name": _KEY, "valueFrom": source}],
        }
        spec["initContainers"] = [*spec.get("initContainers", []), printing]

    def has_printed(pod: Object) -> bool:
        status = pods.container_status(pod, "print-environment") or {}
        return "terminated" in status.get("state", {})

    with beside(service, change, has_printed):
        yield


@fault()
def probes_not_rewritten(service: LlmService) -> Iterator[None]:
    """A second server pod has the kubelet probe through its sidecar, which refuses it: the pod is never ready."""
    with beside(
        service,
        as_it_is,
        lambda pod: bool(pod["spec"].get("nodeName")),
        {"sidecar.istio.io/rewriteAppHTTPProbers": "false"},
    ):
        yield


def _token(service: LlmService) -> str:
    found = service.kube.get(SECRET, _TOKEN, service.namespace)
    return base64.b64decode(found["data"][_KEY]).decode()


def _await(service: LlmService, targets: Callable[[], list[tuple[Object, int, str]]]) -> None:
    """Wait until ports answer plaintext."""

    def shows() -> None:
        asked = [(port, plaintext.ask(service.kube, pod, port, path)) for pod, port, path in targets()]
        told = ", ".join(f"{port} {answer.summary}" for port, answer in asked)
        opened = bool(asked) and all(answer.verdict is Verdict.HTTP for _, answer in asked)
        check(opened, "the fault in effect: ports that answer everybody", told or "there is no pod")

    eventually("ports to be open", shows, budget=seconds("fault-effect"), in_a_row=1)
