"""Faults of the pickers and pools of services that are made while the fault lasts; those that are there stay well."""

from collections.abc import Iterator

from tools.faults.fault import Scope, fault
from tools.faults.mutation import Mutation, mutated
from tools.kube.kinds import DEPLOYMENT, POOL
from tools.kube.llm_service import LlmService

_PICKERS = 'object.metadata.name.endsWith("-kserve-router-scheduler")'
_ARGS = "/spec/template/spec/containers/0/args"
_OF_FIRST = "object.spec.template.spec.containers[0].args"


@fault(scope=Scope.CLUSTER)
def prefixes_not_scored(service: LlmService) -> Iterator[None]:
    """Pickers score by LoRA adapters, of which there are none, in place of cached prefixes."""
    with mutated(service, _replaced("prefixes_not_scored", "prefix-cache-scorer", "lora-affinity-scorer")):
        yield


@fault(scope=Scope.CLUSTER)
def queues_not_scored(service: LlmService) -> Iterator[None]:
    """Pickers score by LoRA adapters, of which there are none, in place of the servers' queues."""
    with mutated(service, _replaced("queues_not_scored", "queue-scorer", "lora-affinity-scorer")):
        yield


@fault(scope=Scope.CLUSTER)
def pickers_not_understood(service: LlmService) -> Iterator[None]:
    """Pickers serve plaintext to a gateway that speaks TLS, and their pools fail closed: all requests are 500."""
    flag = "--secure-serving=false"
    when = f'{_PICKERS} && !{_OF_FIRST}.exists(each, each == "{flag}")'
    patch = f'[JSONPatch{{op: "add", path: "{_ARGS}/-", value: "{flag}"}}]'
    plaintext = Mutation("pickers_not_understood", DEPLOYMENT, when, patch)
    with mutated(service, plaintext), mutated(service, _failing("pickers_not_understood_closed", "FailClose")):
        yield


@fault(scope=Scope.CLUSTER)
def leaders_not_elected(service: LlmService) -> Iterator[None]:
    """Pickers of which there are several do not elect a leader."""
    flag = "--ha-enable-leader-election"
    patch = f'[JSONPatch{{op: "replace", path: "{_ARGS}", value: {_OF_FIRST}.filter(each, each != "{flag}")}}]'
    with mutated(service, Mutation("leaders_not_elected", DEPLOYMENT, _PICKERS, patch)):
        yield


@fault(scope=Scope.CLUSTER)
def pools_fail_closed(service: LlmService) -> Iterator[None]:
    """Pools fail closed, whatever their services ask for."""
    with mutated(service, _failing("pools_fail_closed", "FailClose")):
        yield


@fault(scope=Scope.CLUSTER)
def pools_fail_open(service: LlmService) -> Iterator[None]:
    """Pools fail open, whatever their services ask for."""
    with mutated(service, _failing("pools_fail_open", "FailOpen")):
        yield


def _failing(name: str, mode: str) -> Mutation:
    path = "/spec/endpointPickerRef/failureMode"
    return Mutation(name, POOL, "true", f'[JSONPatch{{op: "add", path: "{path}", value: "{mode}"}}]')


def _replaced(name: str, old: str, new: str) -> Mutation:
    value = f'{_OF_FIRST}.map(each, each.replace("{old}", "{new}"))'
    return Mutation(name, DEPLOYMENT, _PICKERS, f'[JSONPatch{{op: "replace", path: "{_ARGS}", value: {value}}}]')
