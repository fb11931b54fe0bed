"""The controller brings the service to Ready, and Ready is about the service as it is now."""

import pytest

from fixtures.deployment import Deployed
from fixtures.measure import Record
from tools.explain import bullets, check
from tools.faults import reconcile, workload
from tools.kube import pods
from tools.kube.convergence import NotConverged
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import SERVER_CONTAINER, LlmService, not_ready, source
from tools.profile import Profile


@pytest.mark.conformance(
    name="reconcile-becomes-ready",
    level="core",
    fault=workload.preset_missing.shows("PresetsCombined=False", "no-such-config"),
)
def test_becomes_ready(deployed: Deployed, record: Record) -> None:
    """The service is Ready within its budget, with every condition that its specification calls for."""
    record("time to Ready", deployed.ready.seconds, deployed.ready.budget)
    if isinstance(deployed.ready, NotConverged):
        raise deployed.ready.with_traceback(None)
    found = deployed.service.read()
    lacking = not_ready(found)
    check(
        not lacking,
        "every condition of a service with route, gateway and scheduler to be True for its current generation",
        f"in {source(found)}: {bullets(lacking)}",
        next_step=deployed.service.kubectl("describe", LLM_SERVICE.resource, deployed.service.name),
    )


@pytest.mark.conformance(
    name="reconcile-is-rolled-out",
    level="core",
    fault=[
        workload.rollout_stuck.shows("workload: 1 replicas", "'replicas': 2"),
        reconcile.scheduler_config_broken.shows("picker: 1 replicas", "'availableReplicas': 0"),
    ],
)
def test_is_rolled_out(service: LlmService) -> None:
    """Ready means rolled out: server and picker have all their replicas, in the current revision."""
    for part in ("workload", "picker"):
        found = service.child(part)
        status, wanted = found.get("status", {}), found["spec"]["replicas"]
        counts = {
            name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        }
        observed = status.get("observedGeneration")
        check(
            observed == found["metadata"]["generation"] and wanted > 0 and set(counts.values()) == {wanted},
            f"{part}: {max(wanted, 1)} replicas, all of them updated, ready and available, and no others",
            f"{counts}, generation {observed} of {found['metadata']['generation']}, in {source(found)}",
            cause="it is scaled to nothing, or a rollout is stuck (a surge pod without a free accelerator waits)",
            next_step=service.kubectl("describe", f"deployment/{found['metadata']['name']}"),
        )


@pytest.mark.conformance(
    name="reconcile-servers-run-what-was-asked",
    level="core",
    fault=[
        workload.rollout_stuck.shows("localhost/no-such-image:none"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_servers_run_what_was_asked_for(service: LlmService, profile: Profile) -> None:
    """Every server pod runs the profile's image with the arguments that the service states."""
    asked = next(each for each in service.read()["spec"]["template"]["containers"] if each["name"] == SERVER_CONTAINER)
    for pod in service.servers():
        found = pods.container(pod, SERVER_CONTAINER) or {}
        command = [*found.get("command", []), *found.get("args", [])]
        missing = [argument for argument in asked.get("args", []) if argument not in command]
        check(
            found.get("image") == profile.server_image and not missing,
            f"image {profile.server_image} with {asked.get('args', [])}",
            f"image {found.get('image')}, without {missing}, in {source({'kind': 'Pod'} | pod)}",
            cause="a preset or a webhook put other values over the service's",
            next_step=service.kubectl("get", "pod", pod["metadata"]["name"], "-o", "yaml"),
        )
