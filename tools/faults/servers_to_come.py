"""Faults of the servers of services that are made while the fault lasts; those that are there stay well."""

from collections.abc import Iterator

from tools.faults.fault import Scope, fault
from tools.faults.mutation import Mutation, mutated
from tools.kube.kinds import DEPLOYMENT
from tools.kube.llm_service import LlmService

_SERVERS = 'object.metadata.name.endsWith("-kserve")'
_MAIN = "object.spec.template.spec.containers[0]"
_AT = "/spec/template/spec/containers/0"


@fault(scope=Scope.CLUSTER)
def servers_leave_at_once(service: LlmService) -> Iterator[None]:
    """Servers have no preStop hook and cut what runs when they are asked to end, as vLLM 0.16 does."""
    flag = "--shutdown-timeout=0"
    hook = f'has({_MAIN}.lifecycle) ? [JSONPatch{{op: "remove", path: "{_AT}/lifecycle"}}] : []'
    cut = (
        f'!has({_MAIN}.args) ? [JSONPatch{{op: "add", path: "{_AT}/args", value: ["{flag}"]}}] :'
        f' {_MAIN}.args.exists(each, each == "{flag}") ? [] :'
        f' [JSONPatch{{op: "add", path: "{_AT}/args/-", value: "{flag}"}}]'
    )
    with mutated(service, Mutation("servers_leave_at_once", DEPLOYMENT, _SERVERS, f"({hook}) + ({cut})")):
        yield


@fault(scope=Scope.CLUSTER)
def servers_replaced_at_once(service: LlmService) -> Iterator[None]:
    """Servers are all ended before their successors are made (strategy Recreate)."""
    patch = '[JSONPatch{op: "replace", path: "/spec/strategy", value: {"type": "Recreate"}}]'
    with mutated(service, Mutation("servers_replaced_at_once", DEPLOYMENT, _SERVERS, patch)):
        yield


@fault(scope=Scope.CLUSTER)
def servers_alone(service: LlmService) -> Iterator[None]:
    """There is one server, however many are asked for, as under a quota that nobody looks at."""
    when = f"{_SERVERS} && object.spec.replicas > 1"
    patch = '[JSONPatch{op: "replace", path: "/spec/replicas", value: 1}]'
    with mutated(service, Mutation("servers_alone", DEPLOYMENT, when, patch)):
        yield
