"""There is room and time: for a rollout on a full pool, for the start, on disk and in shared memory."""

import math

import pytest

from fixtures.measure import Record
from tools.cases.capabilities import CONTROLLERS, NODES
from tools.explain import bullets, check
from tools.faults import placing, specified
from tools.kube.client import Object
from tools.kube.kinds import NAMESPACE, NODE, POD
from tools.kube.labels import RUN
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.kube.server_specs import limit, template
from tools.kube.start import budget, observed
from tools.kube.storage import problems
from tools.profile import Profile
from tools.troubles.placement import free, selected, untolerated

_MARGIN = 1.5


@pytest.mark.conformance(
    name="accelerator-room-for-a-rollout",
    level="extended",
    requires=[NODES, CONTROLLERS],
    fault=placing.surge_beyond_pool.shows("room for 64 more", "the new pod would wait for ever"),
    checks=["accelerator"],
)
def test_room_for_a_rollout(service: LlmService, profile: Profile) -> None:
    """A rollout can make its surge pods: as many accelerators are free as they ask for, or it makes none."""
    resource, spec, deployment = profile.accelerator.resource, template(service), service.child("workload")
    surge, count = _surge(deployment), max(limit(spec, resource), 1)
    selector, tolerations = spec.pod.get("nodeSelector", {}), spec.pod.get("tolerations", [])
    nodes = [each for each in service.kube.objects(NODE) if selected(each, selector)]
    usable = [each for each in nodes if not untolerated(each, tolerations) and not each["spec"].get("unschedulable")]
    # Whatever else the run has made goes with it, and so does a surge that is under way.
    of_run = {each["metadata"]["name"] for each in service.kube.objects(NAMESPACE, labels=RUN)} - {service.namespace}
    staying = [pod for pod in service.kube.objects(POD) if pod["metadata"]["namespace"] not in of_run]
    room = sum(int(free(each, staying, resource)) // count for each in usable)
    check(
        room >= surge,
        f"room for {surge} more server(s) of {count} {resource}, as the Deployment's strategy wants at a rollout",
        f"{room} more servers fit on {len(usable)} node(s)",
        cause="the accelerators are all taken: the new pod would wait for ever, and the old one stay",
        next_step="add a node to the pool before a rollout, let it scale, or stop the service"
        " (serving.kserve.io/stop) for the change",
    )


@pytest.mark.conformance(
    name="accelerator-start-fits-its-probes",
    level="core",
    fault=specified.start_too_short.shows("1 s", "would be killed"),
    checks=["accelerator"],
)
def test_start_fits_its_probes(service: LlmService, record: Record) -> None:
    """A server may take half as long again as it took, first compile included, before a probe has it killed."""
    allowed = budget(template(service).container)
    for pod in service.servers():
        took = observed(pod, SERVER_CONTAINER)
        if took is None:
            continue
        record("time from the server's start to Ready", took, allowed)
        check(
            allowed >= _MARGIN * took,
            f"at least {_MARGIN:g} × {took:.1f} s, the start of {pod['metadata']['name']}, until a probe gives up",
            f"the probes give a start {allowed:g} s",
            cause="a start on a slower node, with a cold cache or a first compile for TPUs, would be killed",
            next_step="raise failureThreshold of the startupProbe in spec.template.containers[name=main]",
        )


@pytest.mark.conformance(
    name="accelerator-storage-fits",
    level="core",
    requires=[NODES],
    fault=[
        specified.shared_memory_missing.shows("no memory volume at /dev/shm"),
        specified.disk_beyond_node.shows("ephemeral-storage", "no node has as much"),
    ],
    checks=["accelerator"],
)
def test_storage_fits(service: LlmService) -> None:
    """Servers have shared memory in a volume of its own, and are promised no more disk than a node has."""
    spec = template(service)
    nodes = [each for each in service.kube.objects(NODE) if selected(each, spec.pod.get("nodeSelector", {}))]
    wrong = problems(spec.pod, spec.container, nodes)
    check(
        not wrong,
        f"{spec.where}: a memory volume for shared memory, and disk that a node has",
        bullets(wrong),
        cause="processes of a parallel server share memory there and end with `Bus error`; a pod that fills its disk is"
        " evicted",
        next_step=service.kubectl("get", "deployment", service.children["workload"][1], "-o", "yaml"),
    )


def _surge(deployment: Object) -> int:
    strategy, replicas = deployment["spec"].get("strategy", {}), deployment["spec"].get("replicas", 1)
    if strategy.get("type") == "Recreate":
        return 0
    text = str(strategy.get("rollingUpdate", {}).get("maxSurge", "25%"))
    return math.ceil(replicas * float(text.removesuffix("%")) / 100) if text.endswith("%") else int(text)
