"""Server pods are in the mesh, as the profile promises, and the picker is not."""

from collections.abc import Callable, Mapping

import pytest

from fixtures.measure import Record
from tools.cases.capabilities import FORWARD, ISTIOD
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import injection as injection_faults
from tools.faults import pool as pool_faults
from tools.faults import workload
from tools.kube import istiod, pods
from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.kube.picker_path import SIDECAR
from tools.metrics import envoy
from tools.profile import Mesh, Profile
from tools.profile.budgets import budget
from tools.waiting.eventually import eventually


@pytest.mark.conformance(
    name="mesh-servers-have-sidecars",
    level="core",
    requires=[claimed("sidecars")],
    fault=[
        workload.sidecars_missing.shows("has no istio-proxy", "istio-injection"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["sidecars"],
)
def test_servers_have_a_ready_sidecar(service: LlmService, profile: Profile) -> None:
    """Every server pod takes part in the mesh as promised: with Istio's sidecar, ordinary or native, that is ready."""
    found = service.servers()
    lack = _PARTS[profile.mesh]
    wrong = [f"{pod['metadata']['name']}: {what}" for pod in found if (what := lack(pod))]
    check(
        not wrong,
        f"container {SIDECAR} in every server pod, ready (the profile's mesh is {profile.mesh})",
        bullets(wrong),
        cause="the namespace has no label istio-injection=enabled, or had none when the pod was made",
        next_step=service.kube.kubectl("get", "namespace", service.namespace, "--show-labels"),
    )


@pytest.mark.conformance(
    name="mesh-sidecars-are-in-sync",
    level="core",
    requires=[claimed("sidecars"), FORWARD, ISTIOD],
    fault=[
        injection_faults.update_refused.shows("it refuses the update of", "was sent"),
        workload.sidecars_missing.shows("has no istio-proxy"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["sidecars"],
)
def test_sidecars_are_in_sync(service: LlmService, profile: Profile, record: Record) -> None:
    """Every sidecar has taken what istiod sent it last, by istiod's own word, and has refused nothing."""

    def in_sync() -> None:
        found = {pod["metadata"]["name"]: pod for pod in service.servers()}
        known = istiod.unacknowledged(service.kube, service.istiod.namespace)
        wrong = [f"{name}: {what}" for name, pod in found.items() for what in _out_of_sync(service, pod, known)]
        check(
            not wrong,
            "sidecars that are live, have taken all that istiod sent, and refused no update",
            bullets(wrong),
            cause="istiod is not reached (15012), or sends a filter that this Envoy does not have",
            next_step=service.kube.kubectl("-n", service.istiod.namespace, "logs", "deployment/istiod", "--tail=50"),
        )

    settled = eventually("sidecars to be in sync", in_sync, budget=budget("sidecars-in-sync", profile), in_a_row=1)
    record("time until sidecars are in sync", settled.seconds, settled.budget)


@pytest.mark.conformance(
    name="mesh-picker-has-no-sidecar",
    level="core",
    requires=[claimed("sidecars")],
    fault=[
        pool_faults.picker_in_mesh.shows("-router-scheduler-", "have it", "sidecar.istio.io/inject"),
        pool_faults.picker_stopped.shows("there is no picker pod"),
    ],
    checks=["picker"],
)
def test_picker_has_no_sidecar(service: LlmService) -> None:
    """The picker's pods have no sidecar: it would refuse the gateway's stream, and every completion would be a 500."""
    found = service.pickers()
    wrong = [pod["metadata"]["name"] for pod in found if pods.container(pod, SIDECAR)]
    check(
        not wrong,
        f"picker pods without {SIDECAR}",
        f"{wrong} have it",
        cause='spec.router.scheduler.labels lacks sidecar.istio.io/inject: "false"',
        next_step=service.kubectl("get", "pods", "--show-labels"),
    )


def _out_of_sync(service: LlmService, pod: Object, known: Mapping[str, list[str]]) -> list[str]:
    if pods.container(pod, SIDECAR) is None:
        return [f"has no {SIDECAR}"]
    by_istiod = known.get(f"{pod['metadata']['name']}.{service.namespace}", ["istiod does not know it"])
    return [*by_istiod, *envoy.state(service.kube, service.namespace, pod).trouble]


def _lack(pod: Object) -> str:
    container, status = pods.container(pod, SIDECAR), pods.container_status(pod, SIDECAR)
    if container is None:
        return f"has no {SIDECAR}"
    native = any(each["name"] == SIDECAR for each in pod["spec"].get("initContainers", []))
    if native and container.get("restartPolicy") != "Always":
        return f"{SIDECAR} is an init container that ends before the server starts"
    return "" if status and status.get("ready") else f"{SIDECAR} is not ready"


# What a server pod lacks, by what its profile promises; a promise that is not here is a KeyError, not a pass.
_PARTS: Mapping[Mesh, Callable[[Object], str]] = {Mesh.SIDECAR: _lack}
