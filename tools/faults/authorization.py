"""Faults of AuthorizationPolicies: who may ask is refused, and who may not is answered."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.common import fault_labels, wait_for_answer
from tools.faults.fault import Scope, fault
from tools.faults.mutation import Mutation, mutated
from tools.kube.askers import gateway_of
from tools.kube.client import Object
from tools.kube.kinds import AUTHORIZATION_POLICY, PEER_AUTHENTICATION
from tools.kube.llm_service import LlmService
from tools.mesh.allowance import NAME
from tools.openai.client import Client

_SHIPPED = f"object.metadata.name == '{NAME}'"


@fault()
def gateway_denied(service: LlmService) -> Iterator[None]:
    """A DENY policy for the servers is about the Gateway as well: an identity too many in its list."""
    asks = gateway_of(service)
    source = {"principals": [f"*/ns/{asks.namespace}/sa/{asks.account}"]}
    with _policy(service, "gateway_denied", {"action": "DENY", "rules": [{"from": [{"source": source}]}]}):
        yield


@fault()
def allowed_to_nobody(service: LlmService) -> Iterator[None]:
    """An ALLOW policy for the servers has no rules: it looks like no restriction, and allows nobody."""
    with _policy(service, "allowed_to_nobody", {"action": "ALLOW"}):
        yield


@fault(scope=Scope.CLUSTER)
def rules_lost(service: LlmService) -> Iterator[None]:
    """The policy that lets the Gateway in loses its rules as it is written."""
    patch = '[JSONPatch{op: "remove", path: "/spec/rules"}]'
    # Admission comes back to what another policy has changed: what is removed cannot be removed again.
    when = f"{_SHIPPED} && has(object.spec.rules)"
    with mutated(service, Mutation("rules_lost", AUTHORIZATION_POLICY, when, patch)):
        yield


@fault(scope=Scope.CLUSTER)
def selects_nobody(service: LlmService) -> Iterator[None]:
    """The policy that keeps others out selects pods by a label that no server has."""
    patch = '[JSONPatch{op: "replace", path: "/spec/selector/matchLabels", value: {"app": "vllm"}}]'
    with mutated(service, Mutation("selects_nobody", AUTHORIZATION_POLICY, _SHIPPED, patch)):
        yield


@fault(scope=Scope.CLUSTER)
def permission_undone(service: LlmService) -> Iterator[None]:
    """PeerAuthentications that are written as PERMISSIVE become STRICT, as by a platform's own policy."""
    with mutated(service, _mode("permission_undone", "STRICT")):
        yield


@fault(scope=Scope.CLUSTER)
def permission_without_tls(service: LlmService) -> Iterator[None]:
    """PeerAuthentications that are written as PERMISSIVE become DISABLE: nothing fails, and all is in clear."""
    with mutated(service, _mode("permission_without_tls", "DISABLE")):
        yield


def _mode(name: str, mode: str) -> Mutation:
    when = "has(object.spec.mtls) && object.spec.mtls.mode == 'PERMISSIVE'"
    return Mutation(
        name, PEER_AUTHENTICATION, when, f'[JSONPatch{{op: "replace", path: "/spec/mtls/mode", value: "{mode}"}}]'
    )


@contextmanager
def _policy(service: LlmService, name: str, spec: Object) -> Iterator[None]:
    """An AuthorizationPolicy for the servers, seen to refuse the Gateway while entered."""
    kube, namespace = service.kube, service.namespace
    title = f"{service.name}-{name.replace('_', '-')}"
    selector = {"matchLabels": {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}}
    document = {
        "apiVersion": AUTHORIZATION_POLICY.api,
        "kind": AUTHORIZATION_POLICY.kind,
        "metadata": {"name": title, "namespace": namespace, "labels": fault_labels(service, name)},
        "spec": {"selector": selector, **spec},
    }
    try:
        kube.apply(document)
        wait_for_answer(service, "completions are 403", Client.complete, lambda reply: reply.status == 403)
        yield
    finally:
        kube.delete(AUTHORIZATION_POLICY, title, namespace)
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)
