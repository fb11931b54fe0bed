"""Faults of NetworkPolicies that connections feel: each is seen by one of its own, and seen to be gone."""

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tools.explain import check
from tools.faults import isolation
from tools.faults.fault import Scope, fault
from tools.faults.filtered import filtered
from tools.faults.mutation import Mutation, mutated
from tools.faults.policy_change import added, instead
from tools.kube.client import Object
from tools.kube.kinds import NETWORK_POLICY
from tools.kube.llm_service import LlmService
from tools.netpolicy.facts import PART_OF, SCHEDULER
from tools.reach.cells import Cell, What, Who
from tools.reach.enforced import CANARY
from tools.reach.netns import networks_of
from tools.reach.probers import PORT, Probers
from tools.reach.reach import Reach
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_EVERY_POD: Object = {"namespaceSelector": {}, "podSelector": {}}
_EVERY_NAMESPACE: Object = {"namespaceSelector": {}}


@fault()
def three_as_many_have_them(service: LlmService) -> Iterator[None]:
    """Three policies as many clusters have them: everybody let in "for probes", internet and API server as pods."""
    with _felt(service, isolation.as_many_clusters_have_them(service), (Who.OTHER, What.SERVER), opened=True):
        yield


@fault()
def servers_allowed_in_misspelt(service: LlmService) -> Iterator[None]:
    """The policy that lets the gateway into the servers has a typo in the gateway's label."""

    def change(found: list[Object]) -> list[Object]:
        return [_misspelt(each) if _is(each, "allow-gateway-to-vllm") else each for each in found]

    with _felt(service, instead(service, change), (Who.GATEWAY, What.SERVER), opened=False):
        yield


@fault()
def policies_deleted(service: LlmService) -> Iterator[None]:
    """All policies of the namespace are deleted, as while debugging (`kubectl delete networkpolicy --all`)."""
    with _felt(service, instead(service, lambda _: []), (Who.OTHER, What.SERVER), opened=True):
        yield


@fault()
def picker_left_out(service: LlmService) -> Iterator[None]:
    """Policies for the endpoint picker are gone, and it is denied everything like all pods of the namespace."""
    with _felt(service, isolation.picker_forgotten(service), (Who.GATEWAY, What.PICKER), opened=False):
        yield


@fault()
def picker_opened(service: LlmService) -> Iterator[None]:
    """A policy lets every pod of the cluster into every port of the picker."""
    labels = {**PART_OF, "app.kubernetes.io/component": SCHEDULER}
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"], "ingress": [{"from": [_EVERY_POD]}]}
    with _felt(service, added(service, "allow-all-to-picker", spec), (Who.OTHER, What.HEALTH), opened=True):
        yield


@fault()
def only_inwards(service: LlmService) -> Iterator[None]:
    """All policies are about ingress only, and every pod reaches everything."""
    with _felt(service, isolation.ways_out_forgotten(service), (Who.STRANGER, What.INTERNET), opened=True):
        yield


@fault()
def everywhere_allowed(service: LlmService) -> Iterator[None]:
    """A policy lets the servers connect to anything, the cloud's metadata server included."""
    with _felt(service, isolation.everything_let_out(service), (Who.SERVER, What.METADATA), opened=True):
        yield


@fault()
def every_pod_allowed(service: LlmService) -> Iterator[None]:
    """A policy that is meant for the internet lets the service's pods connect to every pod of the cluster."""
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [_EVERY_NAMESPACE]}]}
    with _felt(service, added(service, "allow-internet", spec), (Who.SERVER, What.TENANT), opened=True):
        yield


@fault()
def gateway_closed(service: LlmService) -> Iterator[None]:
    """The policy that lets clients into the gateway is gone, and it is denied everything like all of its namespace."""

    def change(found: list[Object]) -> list[Object]:
        return [each for each in found if not _is(each, "allow-gateway")]

    with _felt(service, instead(service, change), (Who.OUTSIDE, What.BALANCER), opened=False):
        yield


@fault()
def enforced_otherwise(service: LlmService) -> Iterator[None]:
    """Something that is no NetworkPolicy drops what they let through: the port of the sidecar's metrics."""
    rules = "chain input {\n type filter hook input priority filter; policy accept;\n tcp dport 15090 drop\n}"
    dropped = filtered(service, service.servers()[0], rules)
    with _felt(service, dropped, (Who.NODE, What.ENVOY), opened=False):
        yield


@fault(scope=Scope.CLUSTER)
def policies_without_effect(service: LlmService) -> Iterator[None]:
    """A policy that denies is stored and has no effect: another one's webhook makes it let everybody in."""
    when = f'object.metadata.name == "{CANARY}"'
    patch = '[JSONPatch{op: "add", path: "/spec/ingress", value: [{}]}]'
    with mutated(service, Mutation("policies_without_effect", NETWORK_POLICY, when, patch)):
        yield


@fault(scope=Scope.CLUSTER)
def port_mistaken(service: LlmService) -> Iterator[None]:
    """The policy that lets the gateway into the servers names another port than theirs."""
    when = 'object.metadata.name.endsWith("-allow-gateway-to-vllm")'
    patch = '[JSONPatch{op: "replace", path: "/spec/ingress/0/ports/0/port", value: 8001}]'
    with mutated(service, Mutation("port_mistaken", NETWORK_POLICY, when, patch)):
        yield


@fault()
def prober_captured(service: LlmService) -> Iterator[None]:
    """A prober's connections are captured as by a sidecar: all of them end at a port of the pod itself."""
    rules = f"chain output {{\n type nat hook output priority -100;\n tcp dport 1-65535 redirect to :{PORT}\n}}"
    prober = Probers(service).found()[Who.MONITORING]
    with _felt(service, filtered(service, prober, rules), (Who.MONITORING, What.SERVER), opened=True):
        yield


@contextmanager
def _felt(service: LlmService, change: AbstractContextManager[None], cell: Cell, *, opened: bool) -> Iterator[None]:
    """A change, from when a cell shows it until the cell is as before."""
    with change:
        _await(service, cell, opened=opened)
        yield
    _await(service, cell, opened=not opened)


def _await(service: LlmService, cell: Cell, *, opened: bool) -> None:
    who, what = cell
    reach = Reach(service, networks_of(service.kube))
    wanted = f"{who} to {what} to be {'open' if opened else 'closed'}"

    def shows() -> None:
        seen = next((each for each in reach.table(lambda one: one == cell).rows if each.cell == cell), None)
        check(seen is not None and seen.open is opened, wanted, str(seen.verdict if seen else "it cannot be asked"))

    eventually(wanted, shows, budget=seconds("fault-effect"), in_a_row=1)


def _is(policy: Object, name: str) -> bool:
    """Whether a policy is the one that ships under a name, whatever service it was made for."""
    found = str(policy["metadata"]["name"])
    return found == name or found.endswith(f"-{name}")


def _misspelt(policy: Object) -> Object:
    found = copy.deepcopy(policy)
    for rule in found["spec"]["ingress"]:
        for peer in rule["from"]:
            labels = peer["podSelector"]["matchLabels"]
            peer["podSelector"]["matchLabels"] = {key: f"{value}s" for key, value in labels.items()}
    return found
