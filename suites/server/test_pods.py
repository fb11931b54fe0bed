"""Every pod of the service is well: it started, stays up, and says why where it does not."""

import pytest

from fixtures.deployment import Deployed
from tools.cases.capabilities import CONTROLLERS
from tools.explain import bullets, check
from tools.faults import ending, registry, starting
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import POD
from tools.kube.llm_service import PART_OF, LlmService
from tools.troubles import Kind, look
from tools.troubles.look import Found

# What keeps a container from its start, as against one that starts and ends.
_KEPT = (Kind.IMAGE, Kind.CONFIGURATION)
_GATEWAY = "gateway.networking.k8s.io/gateway-name"


@pytest.mark.conformance(
    name="server-containers-start",
    level="core",
    fault=[
        starting.image_name_invalid.shows("InvalidImageName", "is not a valid name of an image"),
        starting.registry_unreachable.shows("registry.invalid cannot be reached"),
        registry.image_tag_missing.shows("the tag does not exist"),
        registry.image_forbidden.shows("no permission (403)"),
        registry.image_without_credentials.shows("wants credentials (401)"),
        starting.secret_missing.shows("CreateContainerConfigError", "Secret hf-token"),
        starting.secret_key_missing.shows("has no key token"),
    ],
    checks=["gateway", "picker"],
)
def test_containers_start(deployed: Deployed) -> None:
    """No container of the servers or the picker waits for an image, a Secret or its own set-up."""
    service = deployed.service
    _expect(service, _looked_at(service), _KEPT, "containers of servers and picker that have what they need to start")


@pytest.mark.conformance(
    name="server-containers-stay-up",
    level="core",
    fault=[
        ending.option_removed.shows("does not know '--disable-log-requests'", "--previous"),
        ending.device_memory_exceeded.shows("device OOM", "--gpu-memory-utilization"),
        ending.host_memory_exceeded.shows("host OOM", "limits.memory is 64Mi"),
        ending.heads_not_divisible.shows("not divisible by --tensor-parallel-size"),
        ending.bfloat16_refused.shows("--dtype=half is missing"),
        ending.tpu_not_found.shows("the TPU could not be used"),
        ending.killed_by_probe.shows("liveness probe failed", "startupProbe"),
    ],
    checks=["gateway", "picker"],
)
def test_containers_stay_up(deployed: Deployed) -> None:
    """No container of the servers or the picker has ended since its pod was made."""
    service = deployed.service
    found = _looked_at(service)
    again = [f"{pod['metadata']['name']}: {line}" for pod in found for line in _restarts(pod)]
    _expect(service, found, (Kind.ENDING,), "containers of servers and picker that never restarted", again)


@pytest.mark.conformance(
    name="server-pods-are-not-evicted",
    level="core",
    fault=ending.disk_overrun.shows("evicted", "wrote more to its disk"),
)
def test_pods_are_not_evicted(deployed: Deployed) -> None:
    """No pod of the service was thrown out of its node."""
    service = deployed.service
    labels = f"{PART_OF},app.kubernetes.io/name={service.name}"
    _expect(service, service.kube.objects(POD, service.namespace, labels=labels), (Kind.EVICTION,), "no evicted pod")


@pytest.mark.conformance(
    name="server-gateway-pods-are-well",
    level="core",
    requires=[CONTROLLERS],
    fault=starting.gateway_image_missing.shows("registry.invalid cannot be reached", "kubectl"),
    checks=["gateway"],
)
def test_gateway_pods_are_well(deployed: Deployed) -> None:
    """The pods of the service's Gateway have started, and none has ended since."""
    service = deployed.service
    gateway = service.gateway
    found = service.kube.objects(POD, gateway.namespace, labels=f"{_GATEWAY}={gateway.name}")
    _expect(
        service, found, (*_KEPT, Kind.ENDING, Kind.PLACEMENT), "pods of the Gateway that are well", at=gateway.namespace
    )


def _expect(
    service: LlmService,
    looked_at: list[Object],
    kinds: tuple[Kind, ...],
    expected: str,
    more: list[str] | None = None,
    at: str = "",
) -> None:
    __tracebackhide__ = True
    namespace = at or service.namespace
    found = [each for each in look.at(service.kube, namespace, looked_at) if each.trouble.kind in kinds]
    first = look.worst(found)
    lines = [f"{each.where}: {each.trouble.what}" for each in found] or (more or [])
    command = first.trouble.command if first else ("describe", "pods")
    check(
        not lines,
        expected,
        bullets(lines),
        cause=_causes(found) or "a container ended and was started again; nothing is left of how it ended",
        next_step=service.kube.kubectl("-n", namespace, *command),
    )


def _causes(found: list[Found]) -> str:
    return "; ".join(dict.fromkeys(each.trouble.cause for each in found))


def _looked_at(service: LlmService) -> list[Object]:
    return [*service.pods(), *service.picker_pods()]


def _restarts(pod: Object) -> list[str]:
    return [f"{each['name']}: {each['restartCount']} restarts" for each in pods.statuses(pod) if each["restartCount"]]
