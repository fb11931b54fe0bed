"""Faults of the model's download: of the hub, of what the downloader is given, and of what is around it."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.explain import check
from tools.faults.common import wait_until
from tools.faults.fault import Scope, fault
from tools.faults.hold import controller_held
from tools.faults.policy_change import added, instead, policy
from tools.hub.control import Switches
from tools.hub.modes import Mode
from tools.hub.server import UNANSWERED, WEIGHTS
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.download import DOWNLOADER, Download, Reason, download, failure, half
from tools.kube.kinds import CLUSTER_STORAGE_CONTAINER, DEPLOYMENT, NAMESPACE, NETWORK_POLICY, POD
from tools.kube.labels import made_for
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService
from tools.kube.model_hub import hub_of
from tools.netpolicy.rules import EGRESS, governs, has_port, rules
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_RESTARTED = "llmisvc-conformance/restarted"
_TOKEN = "HF_TOKEN"
_HTTPS = 443
_CUSTOM = "llmisvc-conformance-custom"


@fault()
def token_only_on_server(service: LlmService) -> Iterator[None]:
    """The hub's token is given to the container that serves, and not to the one that downloads."""

    def change(template: Object) -> None:
        downloader, server = _containers(template)
        tokens = [each for each in downloader.get("env", []) if each["name"] == _TOKEN]
        downloader["env"] = [each for each in downloader.get("env", []) if each["name"] != _TOKEN]
        server["env"] = [*server.get("env", []), *tokens]

    with _second_pod(service, change, lambda found: _failed(found, Reason.AUTHENTICATION)):
        yield


@fault()
def memory_too_small(service: LlmService) -> Iterator[None]:
    """The downloader may use less memory than it needs for its start, and a new server pod is made."""

    def change(template: Object) -> None:
        downloader, _ = _containers(template)
        downloader["resources"] = {"requests": {"memory": "32Mi"}, "limits": {"memory": "32Mi"}}

    with _second_pod(service, change, lambda found: _failed(found, Reason.MEMORY)):
        yield


@fault()
def downloader_dropped(service: LlmService) -> Iterator[None]:
    """The servers start without a download: the init container is gone from their Deployment."""

    def change(template: Object) -> None:
        spec = template["spec"]
        spec["initContainers"] = [each for each in spec["initContainers"] if each["name"] != DOWNLOADER]

    with _changed(service, change):
        wait_until(service, *service.children["workload"], "servers without a download", _is_whole)
        yield


@fault()
def traffic_captured(service: LlmService) -> Iterator[None]:
    """A new server pod's traffic is captured before its download, as by Istio's CNI plugin, and no sidecar takes it."""
    # Istio without that plugin does not do this: for an ordinary sidecar it puts istio-init behind the download.
    taker = next(each for each in service.servers()[0]["spec"]["initContainers"] if each["name"] == "istio-init")
    taker = {key: value for key, value in taker.items() if key != "volumeMounts"}

    def change(template: Object) -> None:
        template.setdefault("metadata", {}).setdefault("labels", {})["sidecar.istio.io/inject"] = "false"
        template["spec"]["initContainers"].insert(0, taker)

    with _second_pod(service, change, lambda found: _failed(found, Reason.CAPTURED)):
        yield


@fault(scope=Scope.CLUSTER)
def licence_not_accepted(service: LlmService) -> Iterator[None]:
    """The hub answers 403 to the token, and a new server pod is made."""
    with _hub(service, Mode.FORBIDDEN), _second_pod(service, _restart, lambda f: _failed(f, Reason.AUTHENTICATION)):
        yield


@fault(scope=Scope.CLUSTER)
def file_missing(service: LlmService) -> Iterator[None]:
    """The hub no longer has the weights, and a new server pod is made."""
    with _hub(service, Mode.MISSING), _second_pod(service, _restart, lambda f: _failed(f, Reason.MISSING)):
        yield


@fault(scope=Scope.CLUSTER)
def host_unknown(service: LlmService) -> Iterator[None]:
    """The hub sends downloads to a host that no DNS knows, and a new server pod is made."""
    with _hub(service, Mode.UNKNOWN_HOST), _second_pod(service, _restart, lambda f: _failed(f, Reason.DNS)):
        yield


@fault(scope=Scope.CLUSTER)
def host_unreachable(service: LlmService) -> Iterator[None]:
    """The hub sends downloads to a host to which there is no way, and a new server pod is made."""
    with _hub(service, Mode.UNREACHABLE), _second_pod(service, _restart, lambda f: _failed(f, Reason.NETWORK)):
        yield


@fault(scope=Scope.CLUSTER)
def authority_unknown(service: LlmService) -> Iterator[None]:
    """The hub's certificate is of an authority that the downloader does not know, and a new server pod is made."""
    with (
        _let_out(service, _HTTPS),
        _hub(service, Mode.PRIVATE_AUTHORITY),
        _second_pod(service, _restart, lambda f: _failed(f, Reason.AUTHORITY)),
    ):
        yield


@fault(scope=Scope.CLUSTER)
def download_stalled(service: LlmService) -> Iterator[None]:
    """The hub stops in the middle of the weights without closing the connection, and a new server pod is made."""
    with _hub(service, Mode.STALLED) as switches, _second_pod(service, _restart, lambda found: found.is_running):
        eventually("the download to be stalled", _stalled(service, switches), budget=seconds("fault-effect"))
        yield


@fault(scope=Scope.CLUSTER)
def gate_open(service: LlmService) -> Iterator[None]:
    """The hub gives a gated model to anybody."""
    with _hub(service, Mode.OPEN):
        yield


@fault(scope=Scope.CLUSTER)
def half_a_model(service: LlmService) -> Iterator[None]:
    """A download fails at the weights; when it tries again the hub is down, and what is there passes for the model."""
    with _hub(service, Mode.MISSING) as switches:

        def shows(found: Download) -> bool:
            if _failed(found, Reason.MISSING):
                switches.switch(_model(service), Mode.DOWN)
            return found.is_done and bool(half(service.kube.logs(found.name, service.namespace, DOWNLOADER)))

        with _second_pod(service, _restart, shows):
            try:
                yield
            finally:
                # Half a model serves, and may have taken the whole one's place: what comes back downloads again.
                switches.switch(_model(service), Mode.WELL)


@fault()
def egress_to_pods_only(service: LlmService) -> Iterator[None]:
    """NetworkPolicies mean to allow the download, by rules that allow pods of the cluster and nothing outside."""
    port = hub_of(service.kube).port
    dns = {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}]}
    hub = {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": port}]}
    labels = {"app.kubernetes.io/name": service.name, "kserve.io/component": "workload"}
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Egress"], "egress": [dns, hub]}
    pods_only = policy(service, "egress-to-pods", spec)
    # Policies add up: whatever lets the port out by addresses has to go.
    with instead(service, lambda found: [*(_without_addresses(each, port) for each in found), pods_only]):
        yield


@fault(scope=Scope.CLUSTER)
def custom_initializer_ignored(service: LlmService) -> Iterator[None]:
    """The cluster has a storage container of its own for hf://, which KServe does not use for LLMInferenceServices."""
    kube = service.kube
    document: Object = {
        "apiVersion": CLUSTER_STORAGE_CONTAINER.api,
        "kind": CLUSTER_STORAGE_CONTAINER.kind,
        "metadata": {"name": _CUSTOM, "labels": made_for(kube.get(NAMESPACE, service.namespace), "custom_initializer")},
        "spec": {
            "container": {"name": DOWNLOADER, "image": "localhost/llmisvc-conformance/hardened:1"},
            "supportedUriFormats": [{"prefix": "hf://"}],
            "workloadType": "initContainer",
        },
    }
    try:
        kube.create(document)
        yield
    finally:
        kube.delete(CLUSTER_STORAGE_CONTAINER, _CUSTOM)


def _without_addresses(found: Object, port: int) -> Object:
    """A policy as it is, but for rules that let a port out to addresses."""

    def lets_out(rule: Object) -> bool:
        by_address = any("ipBlock" in peer for peer in rule.get("to") or [])
        return by_address and has_port(rule.get("ports"), None, "TCP", port)

    kept = [each for each in rules(found, EGRESS) if not lets_out(each)]
    return found | {"spec": found["spec"] | ({"egress": kept} if governs(found, EGRESS) else {})}


def _containers(template: Object) -> tuple[Object, Object]:
    """The container that downloads and the one that serves."""
    spec = template["spec"]
    downloader = next(each for each in spec["initContainers"] if each["name"] == DOWNLOADER)
    return downloader, next(each for each in spec["containers"] if each["name"] == SERVER_CONTAINER)


def _restart(template: Object) -> None:
    template.setdefault("metadata", {}).setdefault("annotations", {})[_RESTARTED] = "by a fault"


def _failed(found: Download, reason: Reason) -> bool:
    why = failure(found)
    return why is not None and why.reason is reason


def _stalled(service: LlmService, switches: Switches) -> Callable[[], None]:
    """That the hub sends the weights and nothing else: the other files are there, and the log is at its last word."""
    logs: dict[str, str] = {}

    def shows() -> None:
        before = logs.copy()
        running = [each for pod in service.pods() if (each := download(pod)) and each.is_running]
        logs.clear()
        logs.update({each.name: service.kube.logs(each.name, service.namespace, DOWNLOADER) for each in running})
        under_way = [str(each["path"]) for each in switches.requests() if each["status"] == UNANSWERED]
        stands = bool(logs) and logs == before and len(under_way) == 1 and under_way[0].endswith(WEIGHTS)
        check(stands, "a download of which only the weights are under way", f"{under_way or 'nothing is'} under way")

    return shows


def _model(service: LlmService) -> str:
    return str(service.read()["spec"]["model"]["uri"]).removeprefix("hf://").partition(":")[0]


@contextmanager
def _let_out(service: LlmService, port: int) -> Iterator[None]:
    """A way to one more port of the hub, where policies deny what they do not name."""
    policies = service.kube.objects(NETWORK_POLICY, service.namespace)
    if not any(governs(each, EGRESS) for each in policies):
        yield
        return
    to = [{"ipBlock": {"cidr": f"{hub_of(service.kube).address}/32"}}]
    rule = {"to": to, "ports": [{"protocol": "TCP", "port": port}]}
    with added(service, "hub-port", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]}):
        yield


@contextmanager
def _hub(service: LlmService, mode: Mode) -> Iterator[Switches]:
    """The stand-in hub with another behaviour towards those who ask for the service's model."""
    url = hub_of(service.kube).switches
    if not url:
        raise RuntimeError("this fault is one of the local cluster's hub; Hugging Face's own cannot be switched")
    switches, model = Switches(url), _model(service)
    try:
        switches.switch(model, mode)
        if switches.mode(model) is not mode:
            raise RuntimeError(f"the hub is not {mode}")
        yield switches
    finally:
        switches.switch(model, Mode.WELL)


@contextmanager
def _changed(service: LlmService, change: Callable[[Object], None]) -> Iterator[None]:
    """The servers' Deployment with another pod template; at the end the old one alone runs again."""
    kube, namespace, name = service.kube, service.namespace, service.children["workload"][1]
    before = service.child("workload")["spec"]["template"]
    changed = copy.deepcopy(before)
    change(changed)
    with controller_held(service):
        try:
            kube.patch(DEPLOYMENT, name, namespace, _with_template(changed), how="json")
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, _with_template(before), how="json")
            wait_until(service, DEPLOYMENT, name, "the servers as before", _is_whole)


@contextmanager
def _second_pod(
    service: LlmService, change: Callable[[Object], None], shows: Callable[[Download], bool]
) -> Iterator[None]:
    """A further server pod, made of a changed template, whose download shows the fault; the old one serves on."""
    old = {pod["metadata"]["name"] for pod in service.pods()}
    labels = f"{PART_OF},app.kubernetes.io/name={service.name},kserve.io/component=workload"

    def decide(found: list[Object]) -> str:
        new = [each for pod in found if pod["metadata"]["name"] not in old and (each := download(pod))]
        return "" if any(map(shows, new)) else "; ".join(each.state() for each in new) or "there is no new pod"

    with _changed(service, change):
        selection = Selection(POD, service.namespace, labels=labels)
        converge(service.kube, "a download that shows the fault", selection, decide, budget=seconds("fault-recovery"))
        yield


def _with_template(template: Object) -> list[Object]:
    return [{"op": "replace", "path": "/spec/template", "value": template}]


def _is_whole(deployment: Object) -> bool:
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    fresh = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = {status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")}
    return fresh and counts == {wanted}
