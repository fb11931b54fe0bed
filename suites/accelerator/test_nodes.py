"""The nodes are what they say, and are kept for the accelerator's users."""

import pytest

from tools.cases.capabilities import CONTROLLERS, NODES
from tools.explain import bullets, check
from tools.faults import placing, workload
from tools.kube import pods
from tools.kube.accelerator_rules import topology
from tools.kube.client import Object
from tools.kube.kinds import NODE, POD
from tools.kube.llm_service import LlmService
from tools.kube.quantity import amount
from tools.kube.server_specs import template
from tools.profile import Profile
from tools.troubles.placement import asks, selected, tolerates

_HARD = ("NoSchedule", "NoExecute")


@pytest.mark.conformance(
    name="accelerator-nodes-offer-all",
    level="core",
    requires=[NODES],
    fault=workload.devices_lost.shows("0 allocatable", "device plugin"),
    checks=["accelerator"],
)
def test_nodes_offer_all_they_have(service: LlmService, profile: Profile) -> None:
    """Every node with the profile's labels offers all its accelerators, as many as its topology says."""
    resource = profile.accelerator.resource
    nodes = [each for each in service.kube.objects(NODE) if selected(each, profile.accelerator.node_labels)]
    wrong = [line for each in nodes if (line := _lost(each, resource) or topology(each))]
    check(
        bool(nodes) and not wrong,
        f"nodes with {dict(profile.accelerator.node_labels)}, each with all its {resource} allocatable",
        bullets(wrong) if nodes else "no node has these labels",
        cause=f"the device plugin for {resource} or the driver does not run on the node, or devices are unhealthy",
        next_step=service.kube.kubectl("describe", "nodes"),
    )


@pytest.mark.conformance(
    name="accelerator-nodes-are-reserved",
    level="extended",
    requires=[NODES, CONTROLLERS],
    fault=[
        placing.taint_lost.shows("has no taint", "made anew without its taint"),
        placing.stranger_on_node.shows("stranger", "asks for none and does not tolerate"),
    ],
    checks=["accelerator"],
)
def test_nodes_are_reserved(service: LlmService, profile: Profile) -> None:
    """Nodes whose taint the servers tolerate have that taint, and no pod runs there that does not tolerate it."""
    resource, spec = profile.accelerator.resource, template(service).pod
    # A service that tolerates no such taint does not count on one.
    counts_on = [each for each in spec.get("tolerations", []) if each.get("key") == resource]
    for node in service.kube.objects(NODE) if counts_on else []:
        if not selected(node, spec.get("nodeSelector", {})):
            continue
        name = node["metadata"]["name"]
        taints = [
            each for each in node["spec"].get("taints", []) if each["key"] == resource and each["effect"] in _HARD
        ]
        on_it = service.kube.objects(POD, fields=f"spec.nodeName={name}") if taints else []
        wrong = [_name(pod) for pod in on_it if _is_stranger(pod, taints, resource)]
        lacks = [] if taints else [f"node {name} has no taint {resource}"]
        wrong = [f"{each} runs on {name}, asks for none and does not tolerate {resource}" for each in wrong]
        check(
            not lacks and not wrong,
            f"node {name} with a taint {resource}, and only pods that tolerate it",
            bullets([*lacks, *wrong]),
            cause="the node pool was made anew without its taint, or pods came before it: they take what servers need",
            next_step=service.kube.kubectl("describe", "node", name),
        )


def _lost(node: Object, resource: str) -> str:
    status, name = node["status"], node["metadata"]["name"]
    has, offers = (amount(status.get(field, {}).get(resource, "0")) for field in ("capacity", "allocatable"))
    return "" if 0 < has == offers else f"node {name}: {offers:g} allocatable of {has:g} {resource}"


def _is_stranger(pod: Object, taints: list[Object], resource: str) -> bool:
    meta = pod["metadata"]
    of_node = any(owner["kind"] in ("DaemonSet", "Node") for owner in meta.get("ownerReferences", []))
    tolerated = all(any(tolerates(each, taint) for each in pod["spec"].get("tolerations", [])) for taint in taints)
    return not (pods.is_leaving(pod) or of_node or tolerated or asks(pod, resource))


def _name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
