"""Every replica has a node: its pod can be made, some node is meant by it, and one has taken it."""

import pytest

from fixtures.deployment import Deployed
from tools.cases.capabilities import NODES
from tools.explain import bullets, check
from tools.faults import placing, workload
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import NODE
from tools.kube.llm_service import LlmService
from tools.kube.server_specs import specs
from tools.troubles import look
from tools.troubles.placement import misspelt, selected, untolerated


@pytest.mark.conformance(
    name="accelerator-selector-means-a-node",
    level="core",
    requires=[NODES],
    fault=[
        placing.selector_misspelt.shows("did you mean", "no node has"),
        placing.selector_misspelt_on_paper.shows("no node has the label cloud.google.com/gke-acelerator"),
        placing.toleration_missing.shows("which it does not tolerate"),
    ],
    checks=["accelerator"],
)
def test_selector_means_a_node(service: LlmService) -> None:
    """A node exists that the servers select, and whose taints they tolerate; now and at the next rollout."""
    nodes = service.kube.objects(NODE)
    for spec in specs(service):
        selector, tolerations = spec.pod.get("nodeSelector", {}), spec.pod.get("tolerations", [])
        meant = [each for each in nodes if selected(each, selector)]
        open_to_it = [each for each in meant if not untolerated(each, tolerations)]
        causes = misspelt(nodes, selector) or ["no single node has all of these labels"] * (not meant)
        causes += [line for each in meant if (line := _closed(each, tolerations))]
        check(
            bool(open_to_it),
            f"{spec.where}: a node with {selector}, and no taint that it does not tolerate",
            f"{len(meant)} of {len(nodes)} nodes have these labels, {len(open_to_it)} of them take it",
            cause="; ".join(causes),
            next_step=service.kube.kubectl("get", "nodes", "--show-labels"),
        )


@pytest.mark.conformance(
    name="accelerator-every-replica-is-placed",
    level="core",
    fault=[
        placing.accelerators_exceeded.shows("not enough", "need 64, free", "kubectl"),
        placing.autoscaler_at_its_limit.shows("the autoscaler says NotTriggerScaleUp", "max node group size reached"),
        placing.selector_misspelt.shows("did you mean"),
        placing.toleration_missing.shows("which the pod does not tolerate"),
        workload.servers_stopped.shows("0 of 0"),
    ],
    checks=["accelerator"],
)
def test_every_replica_is_placed(deployed: Deployed) -> None:
    """As many servers as there are replicas, at least one, and each of them, new ones too, has a node."""
    service = deployed.service
    found, deployment = service.pods(), service.child("workload")
    wanted = deployment["spec"].get("replicas", 1)
    waiting = [pod for pod in found if not pod["spec"].get("nodeName")]
    told = look.at(service.kube, service.namespace, waiting)
    placed = len(found) - len(waiting)
    check(
        not waiting and 0 < wanted <= placed,
        f"each of {max(wanted, 1)} replicas, and whatever a rollout adds, to be on a node",
        f"{placed} of {wanted} are" + "".join(f"\n- {pods.line(pod)}" for pod in waiting),
        cause="; ".join(dict.fromkeys(each.trouble.cause for each in told)) or "pods are missing altogether",
        next_step=service.kubectl("describe", *_about(waiting, deployment)),
    )


@pytest.mark.conformance(
    name="accelerator-pods-can-be-made",
    level="core",
    fault=[
        placing.quota_used_up.shows("exceeded quota", "a ResourceQuota of the namespace is used up", "resourcequota"),
        placing.pods_refused.shows("held by the policy", "an admission webhook or policy refuses the pods"),
    ],
    checks=["accelerator"],
)
def test_pods_can_be_made(deployed: Deployed) -> None:
    """Nothing keeps the servers' or the picker's pods from being made: no quota, admission or pod security."""
    service = deployed.service
    parts = [service.child("workload"), service.child("picker")]
    found = [row for part in parts for row in look.creation(service.kube, part)]
    first = next(iter(found), None)
    check(
        first is None,
        "ReplicaSets and Deployments of the service without the condition ReplicaFailure",
        bullets([each.trouble.what for each in found]),
        cause=first.trouble.cause if first else "",
        next_step=service.kubectl(*first.trouble.command) if first else "",
    )


def _closed(node: Object, tolerations: list[Object]) -> str:
    taints = [f"{each['key']}={each.get('value', '')}:{each['effect']}" for each in untolerated(node, tolerations)]
    return f"node {node['metadata']['name']} has {', '.join(taints)}, which it does not tolerate" if taints else ""


def _about(waiting: list[Object], deployment: Object) -> tuple[str, ...]:
    return ("pod", waiting[0]["metadata"]["name"]) if waiting else ("deployment", deployment["metadata"]["name"])
