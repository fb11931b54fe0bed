"""Controllers kept from putting back what a fault changes, where the fault is, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tools.faults.common import fault_labels
from tools.faults.refusal import Refusal, refused
from tools.kube.kinds import CONFIG_MAP, DEPLOYMENT, LLM_SERVICE, NODE
from tools.kube.labels import PREFIX
from tools.kube.llm_service import LlmService, Place

_NUDGE = f"{PREFIX}/nudged"


@contextmanager
def controller_held(service: LlmService) -> Iterator[None]:
    """KServe's controller kept from the service's namespace: it would put back within a second what a fault changes.

    Scaling it to nothing would reach the whole cluster, and takes longer.
    """
    kube, namespace = service.kube, service.namespace
    refusal = _in_namespace(service, service.controller, f"hold-{namespace}", ["*/*"], "controller_held")
    try:
        with refused(kube, refusal):
            yield
    finally:
        # Its last attempts failed and wait longer and longer for the next; a change makes it look at once.
        nudge = {"metadata": {"annotations": {_NUDGE: datetime.now(UTC).isoformat()}}}
        if kube.find(LLM_SERVICE, service.name, namespace) is not None:
            kube.patch(LLM_SERVICE, service.name, namespace, nudge)


@contextmanager
def istiod_held(service: LlmService, resource: str) -> Iterator[None]:
    """istiod kept from writing a resource, as `httproutes/status`, in the service's namespace."""
    # The latter for the proof that it is in force.
    resources = [resource, CONFIG_MAP.plural]
    name = f"hold-istiod-{service.namespace}"
    with refused(service.kube, _in_namespace(service, service.istiod, name, resources, "istiod_held")):
        yield


@contextmanager
def kubelet_held(service: LlmService, node: str) -> Iterator[None]:
    """A node's kubelet kept from saying how the node is: its next word would undo what a fault says of it."""
    refusal = Refusal(
        f"llmisvc-conformance-hold-node-{node}",
        f"system:node:{node}",
        ["nodes", "nodes/status"],
        "",
        {"apiVersion": NODE.api, "kind": NODE.kind},
        NODE.path(),
        fault_labels(service, "devices_lost"),
    )
    with refused(service.kube, refusal):
        yield


def _in_namespace(service: LlmService, writer: Place, name: str, resources: list[str], fault: str) -> Refusal:
    """What a Deployment's account writes to resources in the service's namespace, refused."""
    deployment = service.kube.get(DEPLOYMENT, writer.name, writer.namespace)
    account = deployment["spec"]["template"]["spec"]["serviceAccountName"]
    return Refusal(
        f"llmisvc-conformance-{name}",
        f"system:serviceaccount:{writer.namespace}:{account}",
        resources,
        service.namespace,
        {"apiVersion": CONFIG_MAP.api, "kind": CONFIG_MAP.kind, "metadata": {"namespace": service.namespace}},
        CONFIG_MAP.path(namespace=service.namespace),
        fault_labels(service, fault),
    )
