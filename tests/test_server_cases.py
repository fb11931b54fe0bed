"""Cases of accelerators and pods, on objects as they are when all is well, and when something is not."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.deployment import Deployed
from suites.accelerator import test_nodes, test_room, test_scheduling, test_use
from suites.server import test_command, test_pods, test_references
from tests.kube_server import Serve
from tests.server_world import GPU, NS, World
from tools.explain import Violation
from tools.kube.convergence import Converged
from tools.kube.llm_service import LlmService
from tools.profile.load import load_profile

Case = Callable[..., None]
Object = dict[str, Any]
PROFILE = load_profile("local-gpu")
CASES: list[Case] = [
    test_scheduling.test_selector_means_a_node,
    test_scheduling.test_every_replica_is_placed,
    test_scheduling.test_pods_can_be_made,
    test_nodes.test_nodes_offer_all_they_have,
    test_nodes.test_nodes_are_reserved,
    test_use.test_accelerators_are_used_in_full,
    test_use.test_accelerator_computes_the_number_format,
    test_use.test_variables_fit_the_chips,
    test_room.test_room_for_a_rollout,
    test_room.test_start_fits_its_probes,
    test_room.test_storage_fits,
    test_pods.test_containers_start,
    test_pods.test_containers_stay_up,
    test_pods.test_pods_are_not_evicted,
    test_pods.test_gateway_pods_are_well,
    test_command.test_command_is_sane,
    test_references.test_references_exist,
    test_references.test_pull_secret_opens_its_registry,
]


def _run(case: Case, service: LlmService) -> None:
    """Call a case with what it asks for."""
    there = {
        "service": service,
        "profile": PROFILE,
        "deployed": Deployed(service, PROFILE, Converged("", 0, 0, []), None),
        "record": lambda *_: None,
    }
    case(**{name: there[name] for name in inspect.signature(case).parameters})


@pytest.mark.parametrize("case", CASES, ids=lambda each: each.__name__)
def test_all_is_well(case: Case, serve: Serve) -> None:
    _run(case, World().serve(serve))


def _template(world: World) -> Object:
    found: Object = world.deployment["spec"]["template"]["spec"]
    return found


def _container(world: World) -> Object:
    found: Object = _template(world)["containers"][0]
    return found


def _waits(world: World, reason: str, message: str) -> None:
    state = {"waiting": {"reason": reason, "message": message}}
    world.second(containerStatuses=[{"name": "main", "ready": False, "restartCount": 0, "state": state}])


def _ends(world: World, code: int, message: str, why: str = "Error") -> None:
    status = {"name": "main", "ready": False, "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    last = {"terminated": {"exitCode": code, "message": message, "reason": why}}
    world.second(containerStatuses=[status | {"lastState": last}])


def _unplaced(world: World, message: str) -> Object:
    rows = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]
    pod = world.second(conditions=rows)
    del pod["spec"]["nodeName"]
    return pod


def _too_many(world: World) -> None:
    pod = _unplaced(world, "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.")
    pod["spec"]["containers"][0]["resources"]["requests"][GPU] = "8"


def _scaling(world: World) -> None:
    _too_many(world)
    event = {"reason": "FailedScaleUp", "message": "GCE out of resources", "involvedObject": {"uid": "second"}}
    world.more["events"] = [event | {"metadata": {}}]


def _refused(world: World) -> None:
    told = "admission webhook warden-validating.common-webhooks.networking.gke.io denied the request"
    row = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": told}
    owner = {"uid": world.deployment["metadata"]["uid"]}
    meta = {"name": "rs", "namespace": NS, "uid": "rs", "ownerReferences": [owner]}
    world.more["replicasets"] = [{"metadata": meta, "status": {"conditions": [row]}}]


def _stranger(world: World) -> None:
    pod = world.second()
    pod["metadata"]["labels"] = {}
    pod["spec"] = {"nodeName": "gpu-node", "containers": [{"name": "main"}]}


def _full(world: World) -> None:
    pod = world.second()
    pod["metadata"] |= {"namespace": "others", "labels": {}}
    pod["spec"]["containers"][0]["resources"]["requests"][GPU] = "3"


def _full_of_ours(world: World) -> None:
    _full(world)
    world.more["namespaces"] = [{"metadata": {"name": "others", "labels": {"llmisvc-conformance/run": "1"}}}]


def _slow(world: World) -> None:
    # 300 s of 400 s.
    for spec in (_template(world), world.pod["spec"]):
        spec["containers"][0]["startupProbe"] = {"periodSeconds": 10, "failureThreshold": 40}


def _evicted(world: World) -> None:
    world.second(phase="Failed", reason="Evicted", message="The node was low on resource: ephemeral-storage.")


def _in(place: Callable[[World], Object], **values: Any) -> Callable[[World], None]:
    return lambda world: place(world).update(values)


def _status_of_node(world: World) -> Object:
    found: Object = world.node["status"]
    return found


@pytest.mark.parametrize(
    ("case", "change", "words"),
    [
        (
            test_scheduling.test_selector_means_a_node,
            lambda world: _template(world).update(nodeSelector={"cloud.google.com/gke-accelerator": "nvidia-tesla-t"}),
            "did you mean nvidia-tesla-t4?",
        ),
        (test_scheduling.test_selector_means_a_node, _in(_template, tolerations=[]), "which it does not tolerate"),
        (test_scheduling.test_every_replica_is_placed, _too_many, "need 8, free 3 of 4 on node gpu-node"),
        (test_scheduling.test_every_replica_is_placed, _scaling, "FailedScaleUp: GCE out of resources"),
        (
            test_scheduling.test_every_replica_is_placed,
            lambda world: world.deployment["spec"].update(replicas=2),
            "1 of 2 are",
        ),
        (test_scheduling.test_pods_can_be_made, _refused, "chips that do not go with the TPU topology"),
        (
            test_nodes.test_nodes_offer_all_they_have,
            _in(_status_of_node, allocatable={GPU: "1"}),
            "1 allocatable of 4 nvidia.com/gpu",
        ),
        (test_nodes.test_nodes_offer_all_they_have, lambda world: world.node["metadata"].update(labels={}), "no node"),
        (test_nodes.test_nodes_are_reserved, lambda world: world.node.update(spec={}), "has no taint nvidia.com/gpu"),
        (test_nodes.test_nodes_are_reserved, _stranger, "ns/second runs on gpu-node"),
        (
            test_use.test_accelerators_are_used_in_full,
            lambda world: _container(world)["args"].append("-tp=4"),
            "1 accelerators and a server that computes on 4",
        ),
        (
            test_use.test_accelerator_computes_the_number_format,
            lambda world: _container(world)["args"].remove("--dtype=half"),
            "there is no --dtype",
        ),
        (
            test_use.test_variables_fit_the_chips,
            lambda world: _container(world)["env"].append({"name": "TPU_CHIPS_PER_HOST_BOUNDS", "value": "2,2,1"}),
            "means 4 chips",
        ),
        (test_room.test_room_for_a_rollout, _full, "0 more servers"),
        (test_room.test_start_fits_its_probes, _slow, "the probes give a start 400 s"),
        (test_room.test_storage_fits, lambda world: _container(world).update(volumeMounts=[]), "no memory volume"),
        (
            test_pods.test_containers_start,
            lambda world: _waits(world, "ImagePullBackOff", "ErrImagePull: unexpected status: 401 Unauthorized"),
            "wants credentials (401)",
        ),
        (
            test_pods.test_containers_start,
            lambda world: _waits(world, "RunContainerError", "nvidia-cdi-hook: mkdir: read-only file system"),
            "the container's root is read-only",
        ),
        (
            test_pods.test_containers_stay_up,
            lambda world: _ends(world, 1, "torch.OutOfMemoryError: CUDA out of memory."),
            "device OOM",
        ),
        (test_pods.test_containers_stay_up, lambda world: _ends(world, 137, "", "OOMKilled"), "host OOM"),
        (
            test_pods.test_containers_stay_up,
            lambda world: world.picker_pod["status"]["containerStatuses"][0].update(restartCount=1),
            "picker: main: 1 restarts",
        ),
        (test_pods.test_pods_are_not_evicted, _evicted, "wrote more to its disk"),
        (
            test_command.test_command_is_sane,
            lambda world: _container(world)["args"].append("python3 -m vllm.entrypoints.openai.api_server"),
            "a program among its arguments",
        ),
        (test_references.test_references_exist, lambda world: world.secret.clear(), "there is no Secret pull"),
        (
            test_references.test_pull_secret_opens_its_registry,
            lambda world: _container(world).update(image="registry.redhat.io/rhaiis/vllm:1"),
            "credentials for registry.redhat.io",
        ),
    ],
)
def test_what_is_wrong_is_told(case: Case, change: Callable[[World], Any], words: str, serve: Serve) -> None:
    world = World()
    change(world)
    with pytest.raises(Violation) as told:
        _run(case, world.serve(serve))
    text = str(told.value)
    assert words in text
    assert all(row in text for row in ("expected:", "observed:", "probable cause:", "next:"))


@pytest.mark.parametrize(
    "change",
    [_full_of_ours, lambda world: world.deployment["spec"].update(strategy={"type": "Recreate"})],
    ids=["others of the run", "Recreate"],
)
def test_a_rollout_has_room(change: Callable[[World], Any], serve: Serve) -> None:
    world = World()
    _full_of_ours(world)
    change(world)
    _run(test_room.test_room_for_a_rollout, world.serve(serve))


def test_a_service_that_counts_on_no_taint_needs_none(serve: Serve) -> None:
    world = World()
    _template(world)["tolerations"] = []
    world.node["spec"] = {}
    _run(test_nodes.test_nodes_are_reserved, world.serve(serve))
