"""What a service needs of the cluster is there, and what it says of itself leads to it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from tools.explain import bullets, check
from tools.faults import reconcile as faults
from tools.faults import status
from tools.kube.client import Object
from tools.kube.conditions import conditions
from tools.kube.discovery import names
from tools.kube.kinds import DEPLOYMENT, LLM_SERVICE, POD
from tools.kube.llm_service import LlmService, source
from tools.kube.platform import Platform

# Fields of a specification whose children are of other projects' kinds.
_NEEDED = {
    ("worker",): "leaderworkersets.leaderworkerset.x-k8s.io",
    ("scaling", "wva"): "variantautoscalings.llmd.ai",
    ("scaling", "wva", "keda"): "scaledobjects.keda.sh",
}
_OF_LATE = timedelta(hours=1)
_LOCAL = ".svc.cluster.local"


@pytest.mark.conformance(
    name="reconcile-needs-are-installed",
    level="core",
    fault=faults.scaling_without_its_crd.shows("variantautoscalings.llmd.ai", "ScalingCRDNotFound"),
)
def test_needs_are_installed(service: LlmService, platform: Platform) -> None:
    """Kinds that the specification calls for are on the cluster, and the controller has not died of late."""
    found = service.read()
    known = names(service.kube)
    lines = [
        f"spec.{'.'.join(path)} needs {kind}, which the cluster does not have"
        for path, kind in _NEEDED.items()
        for spec in (found["spec"], found["spec"].get("prefill", {}))
        if _has(spec, path) and kind not in known
    ]
    lines += [str(each) for each in conditions(found).values() if "no matches for kind" in each.message]
    lines += _restarts(platform)
    check(
        not lines,
        f"all that {service.name} calls for to be installed, and a controller that has not restarted of late",
        bullets(lines),
        cause="an optional project (LeaderWorkerSet, KEDA, the workload variant autoscaler) is missing; the controller"
        " looks for kinds when it starts, and dies or fails where one is missing",
        next_step=platform.kube.kubectl(
            "-n", platform.controller.namespace, "logs", f"deployment/{platform.controller.name}", "--previous"
        ),
    )


@pytest.mark.conformance(
    name="reconcile-addresses-are-true",
    level="core",
    fault=[
        status.addresses_of_another.shows("http://192.0.2.1/elsewhere", "is no address of Gateway"),
        status.url_lost.shows("status.url is empty"),
    ],
    checks=["gateway"],
)
def test_addresses_are_true(service: LlmService) -> None:
    """status.url is one of status.addresses, and each of these is the service's path or model root at its Gateway."""
    found = service.read()
    gateway = service.read_gateway()
    told = found.get("status", {})
    urls = [str(each.get("url", "")) for each in told.get("addresses", [])]
    hosts = {each["value"] for each in gateway.get("status", {}).get("addresses", [])}
    hosts |= {each["hostname"] for each in gateway["spec"].get("listeners", []) if "hostname" in each}
    path = f"/{service.namespace}/{service.name}"
    lines = [] if told.get("url") else ["status.url is empty"]
    lines += [] if not told.get("url") or told["url"] in urls else [f"status.url {told['url']} is not in addresses"]
    lines += [] if told.get("url", "").endswith(path) or not told.get("url") else [f"status.url does not end in {path}"]
    lines += [line for each in told.get("addresses", []) for line in _untrue(each, service, hosts, path)]
    check(
        not lines,
        f"addresses of Gateway {service.gateway} ({', '.join(sorted(hosts)) or 'none'}), with path {path} or /",
        f"in {source(found)}: {bullets(lines)}",
        cause="the Gateway's address changed, or the route is attached to another: the controller has not looked since",
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml"),
    )


def _untrue(address: Object, service: LlmService, hosts: set[str], path: str) -> list[str]:
    url = str(address.get("url", ""))
    parts, origin = urlsplit(url), address.get("origin", {})
    lines = []
    local = (parts.hostname or "").endswith(_LOCAL)
    if parts.hostname not in hosts and not local and parts.hostname != service.connection.host:
        lines.append(f"{url} is no address of Gateway {service.gateway}")
    publisher = parts.path.startswith(f"/publishers/{service.namespace}/")
    if parts.path.rstrip("/") not in ("", path) and not publisher:
        lines.append(f"{url} has another path than {path}")
    of = f"{origin.get('namespace')}/{origin.get('name')}"
    return lines + ([f"{url} is said to be of Gateway {of}"] if origin and of != str(service.gateway) else [])


def _has(spec: Object, path: tuple[str, ...]) -> bool:
    value = spec
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def _restarts(platform: Platform) -> list[str]:
    """Containers of the controller that died of late, one line each."""
    since = datetime.now(UTC) - _OF_LATE
    place = platform.controller
    wanted = platform.kube.get(DEPLOYMENT, place.name, place.namespace)["spec"]["selector"]["matchLabels"]
    labels = ",".join(f"{key}={value}" for key, value in wanted.items())
    return [
        f"{pod['metadata']['name']}/{each['name']} has restarted {each['restartCount']} times, last at"
        f" {ended['finishedAt']} ({ended.get('reason', '?')}, exit code {ended.get('exitCode')})"
        for pod in platform.kube.objects(POD, place.namespace, labels=labels)
        for each in pod.get("status", {}).get("containerStatuses", [])
        if (ended := each.get("lastState", {}).get("terminated"))
        and datetime.fromisoformat(ended["finishedAt"]) > since
    ]
