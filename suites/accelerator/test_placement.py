"""Servers run on the promised accelerator and have it for themselves."""

import pytest

from tools.cases.capabilities import NODES
from tools.explain import bullets, check
from tools.faults import workload
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import NODE, POD
from tools.kube.llm_service import SERVER_CONTAINER, LlmService
from tools.profile import Profile


@pytest.mark.conformance(
    name="accelerator-node-is-the-promised",
    level="core",
    requires=[NODES],
    fault=[
        workload.node_relabelled.shows("'another'"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["accelerator"],
)
def test_servers_run_on_the_promised_node(service: LlmService, profile: Profile) -> None:
    """Every server pod runs on a node with the profile's labels."""
    for pod in service.servers():
        name = pod["spec"]["nodeName"]
        labels = service.kube.get(NODE, name)["metadata"].get("labels", {})
        wanted = profile.accelerator.node_labels
        wrong = [f"{key} is {labels.get(key)!r}" for key, value in wanted.items() if labels.get(key) != value]
        check(
            not wrong,
            f"{pod['metadata']['name']} on a node with {dict(wanted)}",
            f"node {name}: {bullets(wrong)}",
            cause="the node was relabelled or replaced, or the pod has no nodeSelector",
            next_step=service.kube.kubectl("get", "nodes", "--show-labels"),
        )


@pytest.mark.conformance(
    name="accelerator-is-asked-for",
    level="core",
    requires=[NODES],
    fault=[
        workload.accelerators_dropped.shows("requests and limits (0, 0)"),
        workload.devices_lost.shows(" has 0"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["accelerator"],
)
def test_servers_have_their_accelerators(service: LlmService, profile: Profile) -> None:
    """Every server asks for the promised accelerators, requests equal to limits, and its node has them."""
    resource, count = profile.accelerator.resource, profile.accelerator.count
    for pod in service.servers():
        asked = (pods.container(pod, SERVER_CONTAINER) or {}).get("resources", {})
        got = tuple(int(asked.get(kind, {}).get(resource, 0)) for kind in ("requests", "limits"))
        node = service.kube.get(NODE, pod["spec"]["nodeName"])
        has = int(node["status"].get("allocatable", {}).get(resource, 0))
        check(
            got == (count, count) and has >= count,
            f"{pod['metadata']['name']}: {resource} {count} in requests and limits, on a node that has as many",
            f"requests and limits {got}, node {node['metadata']['name']} has {has}",
            cause="the device plugin does not run on the node, or a preset's resources replaced the service's",
            next_step=service.kube.kubectl("describe", "node", node["metadata"]["name"]),
        )


@pytest.mark.conformance(
    name="accelerator-is-not-overcommitted",
    level="core",
    requires=[NODES],
    fault=[
        workload.accelerators_dropped.shows("ask for none"),
        workload.devices_lost.shows("at most 0 "),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["accelerator"],
)
def test_node_is_not_overcommitted(service: LlmService, profile: Profile) -> None:
    """The pods on a server's node, that server among them, together ask for no more accelerators than it has."""
    resource, servers = profile.accelerator.resource, service.servers()
    for name in sorted({pod["spec"]["nodeName"] for pod in servers}):
        on_node = service.kube.objects(POD, fields=f"spec.nodeName={name}")
        used = {_name(pod): asked for pod in on_node if (asked := _asks(pod, resource))}
        idle = sorted({_name(pod) for pod in servers if pod["spec"]["nodeName"] == name} - used.keys())
        has = int(service.kube.get(NODE, name)["status"].get("allocatable", {}).get(resource, 0))
        check(
            not idle and sum(used.values()) <= has,
            f"at most {has} {resource} asked for on node {name}, some of them by every server there",
            f"{sum(used.values())} by {used}" + (f"; {idle} ask for none" if idle else ""),
            cause="the device plugin lost devices after the pods had been placed, or a server asks for none",
            next_step=service.kube.kubectl("describe", "node", name),
        )


def _name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _asks(pod: Object, resource: str) -> int:
    if pods.is_leaving(pod):
        return 0
    containers = pod["spec"]["containers"]
    return sum(int(each.get("resources", {}).get("requests", {}).get(resource, 0)) for each in containers)
