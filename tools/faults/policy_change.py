"""Other NetworkPolicies in a service's namespace, for a while: added, changed, or in place of those that are there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tools.faults.common import fault_labels, recreatable, wait_for_answer
from tools.kube.client import Object
from tools.kube.kinds import NETWORK_POLICY
from tools.kube.llm_service import LlmService
from tools.openai.client import Client

Change = Callable[[list[Object]], list[Object]]


def policy(service: LlmService, name: str, spec: Any) -> Object:
    """A policy of a fault, in the service's namespace."""
    labels = fault_labels(service, name.replace("-", "_"))
    meta = {"name": f"llmisvc-conformance-{name}", "namespace": service.namespace, "labels": labels}
    return {"apiVersion": NETWORK_POLICY.api, "kind": NETWORK_POLICY.kind, "metadata": meta, "spec": spec}


@contextmanager
def added(service: LlmService, name: str, spec: Any) -> Iterator[None]:
    """A policy beside those that are there."""
    document = policy(service, name, spec)
    try:
        service.kube.create(document)
        yield
    finally:
        service.kube.delete(NETWORK_POLICY, document["metadata"]["name"], service.namespace)


@contextmanager
def instead(service: LlmService, change: Change) -> Iterator[None]:
    """Other policies in place of those of the service's namespace; at the end these alone, and the service answers."""
    kube, namespace = service.kube, service.namespace
    before = [recreatable(each) for each in kube.objects(NETWORK_POLICY, namespace)]
    try:
        _put(service, change(before))
        yield
    finally:
        _put(service, before)
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


def _put(service: LlmService, wanted: list[Object]) -> None:
    """Make policies the only ones of the namespace; those to be come first, so that nothing is open in between."""
    kube, namespace = service.kube, service.namespace
    for each in wanted:
        kube.apply(each)
    kept = {each["metadata"]["name"] for each in wanted}
    for each in kube.objects(NETWORK_POLICY, namespace):
        if each["metadata"]["name"] not in kept:
            kube.delete(NETWORK_POLICY, each["metadata"]["name"], namespace)
