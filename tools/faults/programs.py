"""Faults of what the controllers run: image, flags, rights, rivals. Services of others go on as they are."""

from collections.abc import Iterator
from typing import Any

from tools.faults.changed import changed, paused
from tools.faults.common import wait_until_available
from tools.faults.fault import Scope, fault
from tools.faults.refusal import Refusal, refused
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    DEPLOYMENT,
    GATEWAY_CLASS,
    NAMESPACE,
    POD,
    SERVICE_ACCOUNT,
)
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService, Place
from tools.kube.pods import trouble
from tools.platform.istio import SWITCH
from tools.platform.rights import account
from tools.waiting.timeouts import seconds

# The controller for InferenceServices; of a release that has none for LLMInferenceServices.
_OTHER = "docker.io/kserve/kserve-controller:v0.15.2"
_CONTAINER = "/spec/template/spec/containers/0"


@fault(scope=Scope.CLUSTER)
def controller_of_another_program(service: LlmService) -> Iterator[None]:
    """KServe's Deployment is given the image of its other controller, which cannot be pulled; the old pod stays."""
    with changed(service.kube, DEPLOYMENT, service.controller, {f"{_CONTAINER}/image": _OTHER}):
        _until_waiting(service, "ImagePull")
        yield
    wait_until_available(service.kube, service.controller)


@fault(scope=Scope.CLUSTER)
def controller_crashes(service: LlmService) -> Iterator[None]:
    """KServe's controller is given a flag that it does not know: its new pod crashes, the old one stays."""
    arguments = _controller(service)["spec"]["template"]["spec"]["containers"][0]["args"]
    wrong = [*arguments, "--no-such-flag"]
    with changed(service.kube, DEPLOYMENT, service.controller, {f"{_CONTAINER}/args": wrong}):
        _until_waiting(service, "CrashLoopBackOff")
        yield
    wait_until_available(service.kube, service.controller)


@fault(scope=Scope.CLUSTER)
def leader_election_off(service: LlmService) -> Iterator[None]:
    """KServe's controller is to run without leader election, so that two may write at once; its rollout is held."""
    arguments = _controller(service)["spec"]["template"]["spec"]["containers"][0]["args"]
    without = [each for each in arguments if each != "--leader-elect"]
    with (
        paused(service.kube, service.controller),
        changed(service.kube, DEPLOYMENT, service.controller, {f"{_CONTAINER}/args": without}),
    ):
        yield


@fault(scope=Scope.CLUSTER)
def monitoring_demanded(service: LlmService) -> Iterator[None]:
    """KServe's controller is to make ServiceMonitors, on a cluster without their definition; its rollout is held."""
    variables = _controller(service)["spec"]["template"]["spec"]["containers"][0]["env"]
    demanded = [*variables, {"name": "LLMISVC_MONITORING_DISABLED", "value": "false"}]
    with (
        paused(service.kube, service.controller),
        changed(service.kube, DEPLOYMENT, service.controller, {f"{_CONTAINER}/env": demanded}),
    ):
        yield


@fault(scope=Scope.CLUSTER)
def second_controller(service: LlmService) -> Iterator[None]:
    """Another KServe has its controller in another namespace; no node takes its pod, so that it fights with nobody."""
    kube, template = service.kube, _controller(service)["spec"]["template"]["spec"]
    labels = made_for(kube.get(NAMESPACE, service.namespace), "second_controller")
    pod = {"containers": [{"name": "manager", "image": template["containers"][0]["image"]}],
           "nodeSelector": {"llmisvc-conformance/no-such-node": "true"}}  # fmt: skip
    second: Object = {
        "apiVersion": DEPLOYMENT.api,
        "kind": DEPLOYMENT.kind,
        "metadata": {"name": "llmisvc-controller-manager", "namespace": service.namespace, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels | {"sidecar.istio.io/inject": "false"}}, "spec": pod},
        },
    }
    try:
        kube.apply(second)
        yield
    finally:
        kube.delete(DEPLOYMENT, second["metadata"]["name"], service.namespace)


@fault(scope=Scope.CLUSTER)
def controller_may_less(service: LlmService) -> Iterator[None]:
    """The controller's ClusterRole lets it read routes and Secrets, and neither make nor change them."""
    kube, user = service.kube, account(_controller(service))
    role = next(
        each["roleRef"]["name"]
        for each in kube.objects(CLUSTER_ROLE_BINDING)
        for subject in each.get("subjects", [])
        if f"system:serviceaccount:{subject.get('namespace')}:{subject['name']}" == user
    )
    rules = [less for rule in kube.get(CLUSTER_ROLE, role)["rules"] for less in _less(rule)]
    with changed(kube, CLUSTER_ROLE, Place("", role), {"/rules": rules}):
        yield


@fault(scope=Scope.CLUSTER)
def pull_secret_missing(service: LlmService) -> Iterator[None]:
    """The controller's ServiceAccount names a pull Secret that is not in its namespace."""
    name = _controller(service)["spec"]["template"]["spec"]["serviceAccountName"]
    place = Place(service.controller.namespace, name)
    secrets = {"/imagePullSecrets": [{"name": "llmisvc-conformance-no-such-secret"}]}
    with changed(service.kube, SERVICE_ACCOUNT, place, secrets):
        yield


@fault(scope=Scope.CLUSTER)
def inference_switched_off(service: LlmService) -> Iterator[None]:
    """istiod is to run without its switch for InferencePools; its rollout is held, so that routes stay as they are."""
    kube, place = service.kube, service.istiod
    template = kube.get(DEPLOYMENT, place.name, place.namespace)["spec"]["template"]
    variables: list[Any] = template["spec"]["containers"][0]["env"]
    number = next(number for number, each in enumerate(variables) if each["name"] == SWITCH)
    switch = {f"{_CONTAINER}/env/{number}/value": "false"}
    with paused(kube, place), changed(kube, DEPLOYMENT, place, switch):
        yield


@fault(scope=Scope.CLUSTER)
def istio_too_old(service: LlmService) -> Iterator[None]:
    """istiod is to run in a version that understands other InferencePools than KServe's; its rollout is held."""
    kube, place = service.kube, service.istiod
    older = {f"{_CONTAINER}/image": "docker.io/istio/pilot:1.27.1"}
    with paused(kube, place), changed(kube, DEPLOYMENT, place, older):
        yield


@fault(scope=Scope.CLUSTER)
def gateway_class_not_accepted(service: LlmService) -> Iterator[None]:
    """The GatewayClass is not accepted, and istiod is kept from saying otherwise."""
    kube = service.kube
    name = str(service.read_gateway()["spec"]["gatewayClassName"])
    user = account(kube.get(DEPLOYMENT, service.istiod.name, service.istiod.namespace))
    refusal = Refusal(
        "llmisvc-conformance-hold-gateway-class",
        user,
        ["gatewayclasses", "gatewayclasses/status"],
        "",
        {"apiVersion": GATEWAY_CLASS.api, "kind": GATEWAY_CLASS.kind,
         "spec": {"controllerName": "example.com/nobody"}},
        GATEWAY_CLASS.path(),
        made_for(kube.get(NAMESPACE, service.namespace), "gateway_class_not_accepted"),
    )  # fmt: skip
    said = {"/status/conditions/0/status": "False", "/status/conditions/0/reason": "Unsupported"}
    with refused(kube, refusal), changed(kube, GATEWAY_CLASS, Place("", name), said, subresource="status"):
        yield


def _controller(service: LlmService) -> Object:
    return service.kube.get(DEPLOYMENT, service.controller.name, service.controller.namespace)


def _less(rule: Object) -> list[Object]:
    """A rule in which Secrets and routes can only be read."""
    spared = {"secrets", "httproutes"} & set(rule.get("resources", []))
    if not spared:
        return [rule]
    rest = [each for each in rule["resources"] if each not in spared]
    read = rule | {"resources": sorted(spared), "verbs": ["get", "list", "watch"]}
    return [read, *([rule | {"resources": rest}] if rest else [])]


def _until_waiting(service: LlmService, reason: str) -> None:
    """Wait until a pod of the controller waits for such a reason."""

    def decide(found: list[Object]) -> str:
        lines = [line for pod in found for line in trouble(pod)]
        return "" if any(reason in line for line in lines) else f"no pod waits with {reason}: {lines}"

    wanted = _controller(service)["spec"]["selector"]["matchLabels"]
    labels = ",".join(f"{key}={value}" for key, value in wanted.items())
    chosen = Selection(POD, service.controller.namespace, labels=labels)
    converge(service.kube, f"a pod to wait with {reason}", chosen, decide, budget=seconds("fault-recovery"))
