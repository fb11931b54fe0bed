"""The InferencePool has exactly the servers as members, and the picker that goes with it."""

import pytest

from tools.explain import bullets, check
from tools.faults import members
from tools.faults import pool as faults
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.conditions import lacking_at_parent
from tools.kube.kinds import ENDPOINT_SLICE, POD, POOL, REPLICA_SET
from tools.kube.llm_service import SERVER_CONTAINER, LlmService, source


@pytest.mark.conformance(
    name="pool-selects-exactly-the-servers",
    level="core",
    fault=[
        faults.pool_selects_nothing.shows("no pod"),
        faults.stray_member.shows("-stray"),
    ],
    checks=["pool"],
)
def test_selects_exactly_the_servers(service: LlmService) -> None:
    """The pool's selector matches every server pod of the service and no other pod."""
    pool, owner = service.child("pool"), service.child("workload")
    labels = ",".join(f"{key}={value}" for key, value in sorted(pool["spec"]["selector"]["matchLabels"].items()))
    matched = {
        pod["metadata"]["name"]
        for pod in service.kube.objects(POD, service.namespace, labels=labels)
        if not pods.is_leaving(pod)
    }
    selector = ",".join(f"{key}={value}" for key, value in owner["spec"]["selector"]["matchLabels"].items())
    own = service.kube.objects(POD, service.namespace, labels=f"{selector},pod-template-hash")
    servers = {pod["metadata"]["name"] for pod in own if not pods.is_leaving(pod)}
    check(
        matched == servers and bool(servers),
        f"the pool to select the pods of Deployment {owner['metadata']['name']}: {sorted(servers) or 'none are there'}",
        f"{source(pool)} selects {labels}: {sorted(matched) or 'no pod'}",
        cause="a label was changed on one side, or another pod carries the service's labels",
        next_step=service.kubectl("get", "pods", "--show-labels"),
    )


@pytest.mark.conformance(
    name="pool-ports-agree",
    level="core",
    fault=faults.pool_of_another_port.shows("[8001]"),
    checks=["pool"],
)
def test_ports_agree(service: LlmService) -> None:
    """The pool's target port is the port on which the servers listen, and the workload Service's, too."""
    pool, workload_service = service.child("pool"), service.child("workload service")
    template = {"spec": service.child("workload")["spec"]["template"]["spec"]}
    container = pods.container(template, SERVER_CONTAINER) or {}
    listened = sorted(each["containerPort"] for each in container.get("ports", []))
    pooled = sorted(each["number"] for each in pool["spec"]["targetPorts"])
    served = sorted(each["targetPort"] for each in workload_service["spec"]["ports"])
    check(
        listened == pooled == served,
        "one port in container, InferencePool and Service",
        f"container {SERVER_CONTAINER} {listened}, {source(pool)} {pooled}, {source(workload_service)} {served}",
        cause="--port among the server's arguments, or a pool of one's own",
        next_step=service.kubectl("get", POOL.resource, pool["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="pool-has-a-living-picker",
    level="core",
    fault=[
        faults.picker_stopped.shows("no ready endpoint", "there is no picker pod", "FailOpen"),
        faults.pool_without_picker.shows("it names Service no-such-service"),
        members.pool_of_another_picker_port.shows("port 9999 is not among the Service's"),
        members.picker_service_selects_nothing.shows("no ready endpoint", "selects no pod"),
        members.stray_picker.shows("-stray-picker", "is no pod of"),
    ],
    checks=["picker"],
)
def test_points_to_a_living_picker(service: LlmService) -> None:
    """The pool's picker is the service's: its Service, a port that this has, and its ready pods alone behind it."""
    pool, picker = service.child("pool"), service.child("picker service")
    wrong = _reference_trouble(pool, picker)
    pods_of_it = {pod["metadata"]["name"] for pod in service.picker_pods()}
    ready = _ready_endpoints(service, picker["metadata"]["name"])
    strangers = sorted(ready - _of_deployment(service, pods_of_it))
    wrong += [] if ready else [f"Service {picker['metadata']['name']} has no ready endpoint"]
    wrong += [f"endpoint {name} is no pod of {service.children['picker'][1]}" for name in strangers]
    check(
        not wrong,
        f"a picker at Service {picker['metadata']['name']}, alive, and nothing else behind it",
        f"{source(pool)}: {bullets(wrong)}",
        cause=_why_no_picker(service, picker, ready, strangers),
        next_step=service.kubectl("describe", f"deployment/{service.children['picker'][1]}"),
    )


@pytest.mark.conformance(
    name="pool-is-accepted",
    level="core",
    fault=faults.pool_without_picker.shows("ResolvedRefs=False"),
    checks=["pool"],
)
def test_is_accepted_by_the_services_gateway(service: LlmService) -> None:
    """The service's Gateway has accepted the pool and resolved its picker, for the pool's current generation."""
    pool = service.child("pool")
    wrong = lacking_at_parent(pool, str(service.gateway), ["Accepted", "ResolvedRefs"])
    check(
        not wrong,
        f"InferencePool with Accepted and ResolvedRefs from Gateway {service.gateway}",
        f"in {source(pool)}: {bullets(wrong)}",
        cause="no accepted route refers to it, or the picker's Service does not exist",
        next_step=service.kubectl("describe", POOL.resource, pool["metadata"]["name"]),
    )


def _reference_trouble(pool: Object, picker: Object) -> list[str]:
    """How a pool's reference differs from one to the picker's Service."""
    name, reference = picker["metadata"]["name"], pool["spec"]["endpointPickerRef"]
    kind = f"{reference.get('group') or 'core'} {reference.get('kind', 'Service')}"
    ports = [each["port"] for each in picker["spec"]["ports"]]
    port = reference.get("port", {}).get("number")
    wrong = [] if kind == "core Service" else [f"it is of kind {kind}"]
    wrong += [] if reference["name"] == name else [f"it names Service {reference['name']}"]
    return wrong + ([] if port in ports else [f"port {port} is not among the Service's, {ports}"])


def _ready_endpoints(service: LlmService, name: str) -> set[str]:
    slices = service.kube.objects(ENDPOINT_SLICE, service.namespace, labels=f"kubernetes.io/service-name={name}")
    return {
        each.get("targetRef", {}).get("name", str(each["addresses"]))
        for found in slices
        for each in found.get("endpoints") or []
        if each.get("conditions", {}).get("ready")
    }


def _of_deployment(service: LlmService, names: set[str]) -> set[str]:
    """Those that the picker's Deployment made: others may carry the same labels."""
    sets = {
        each["metadata"]["name"]
        for each in service.kube.objects(REPLICA_SET, service.namespace)
        if any(owner["name"] == service.children["picker"][1] for owner in each["metadata"].get("ownerReferences", []))
    }
    return {name for name in names if name.rpartition("-")[0] in sets}


def _why_no_picker(service: LlmService, picker: Object, ready: set[str], strangers: list[str]) -> str:
    if strangers:
        return "another pod carries the picker's labels: the gateway asks it as well, and those requests are not picked"
    if ready:
        return "spec.router.scheduler.pool names another picker, or somebody changed the pool"
    found = service.picker_pods()
    opened = "with failureMode FailOpen requests still succeed, unscheduled"
    if not found:
        return f"there is no picker pod; {opened}"
    if all(pods.is_ready(pod) for pod in found):
        return (
            f"the Service selects no pod ({picker['spec'].get('selector')}), and the picker's pods are ready; {opened}"
        )
    return f"the picker does not run ({'; '.join(pods.line(pod) for pod in found)}); {opened}"
