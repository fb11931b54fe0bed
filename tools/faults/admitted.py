"""Ways through policies for what faults put beside a service; where nothing is isolated, nothing is made."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from tools.faults.common import fault_labels
from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.kinds import NETWORK_POLICY
from tools.kube.llm_service import LlmService
from tools.netpolicy.facts import Pods
from tools.netpolicy.generate import policies, tcp
from tools.netpolicy.reading import read


@contextmanager
def from_gateway(service: LlmService, to: Pods, port: int, name: str) -> Iterator[None]:
    """The gateway's proxies reach pods of a fault, which are no servers; at the end they do not any more.

    Args:
        service: whose Gateway.
        to: the pods.
        port: of theirs, TCP.
        name: of the policies.
    """
    gateway = Pods(service.gateway.namespace, {gateways.NAME: service.gateway.name})
    inwards = {"podSelector": {"matchLabels": dict(to.labels)}, "policyTypes": ["Ingress"],
               "ingress": [{"from": [gateway.peer], "ports": tcp([port])}]}  # fmt: skip
    outwards = {"podSelector": {"matchLabels": dict(gateway.labels)}, "policyTypes": ["Egress"],
                "egress": [{"to": [to.peer], "ports": tcp([port])}]}  # fmt: skip
    wanted = [(to.namespace, f"{name}-in", inwards), (gateway.namespace, f"{name}-out", outwards)]
    with _applied(service, [_policy(service, *each) for each in wanted if _is_isolated(service, each[0])]):
        yield


@contextmanager
def as_a_service(service: LlmService, name: str) -> Iterator[None]:
    """A further service of the namespace has the policies that ship for it."""
    if not _is_isolated(service, service.namespace):
        yield
        return
    # The one that denies everything is there already, and not this fault's to remove.
    further = [each for each in policies(read(replace(service, name=name)).facts) if name in each["metadata"]["name"]]
    for each in further:
        each["metadata"]["labels"] = fault_labels(service, "further_service")
    with _applied(service, further):
        yield


@contextmanager
def out_of(service: LlmService, pods: Pods, name: str) -> Iterator[None]:
    """Pods of a service may connect to everybody, as those of a fault have to that need more than theirs do.

    Args:
        service: whose.
        pods: of its namespace.
        name: of the policy.
    """
    outwards = {"podSelector": {"matchLabels": dict(pods.labels)}, "policyTypes": ["Egress"], "egress": [{}]}
    isolated = _is_isolated(service, pods.namespace)
    with _applied(service, [_policy(service, pods.namespace, name, outwards)] if isolated else []):
        yield


@contextmanager
def _applied(service: LlmService, documents: list[Object]) -> Iterator[None]:
    try:
        for each in documents:
            service.kube.apply(each)
        yield
    finally:
        for each in documents:
            service.kube.delete(NETWORK_POLICY, each["metadata"]["name"], each["metadata"]["namespace"])


def _is_isolated(service: LlmService, namespace: str) -> bool:
    """Whether there are policies: the first one would isolate what was open."""
    return bool(service.kube.objects(NETWORK_POLICY, namespace))


def _policy(service: LlmService, namespace: str, name: str, spec: Mapping[str, object]) -> Object:
    labels = fault_labels(service, "beside_policies")
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": NETWORK_POLICY.api, "kind": NETWORK_POLICY.kind, "metadata": meta, "spec": dict(spec)}
