"""Faults of the proxies of Gateways that are made while the fault lasts; those that are there stay well."""

from collections.abc import Iterator

from tools.faults.fault import Scope, fault
from tools.faults.mutation import Mutation, mutated
from tools.kube.gateways import NAME
from tools.kube.kinds import DEPLOYMENT
from tools.kube.llm_service import LlmService


@fault(scope=Scope.CLUSTER)
def proxies_replaced_at_once(service: LlmService) -> Iterator[None]:
    """A gateway's proxies are all ended before their successors are made (strategy Recreate)."""
    when = f'has(object.metadata.labels) && "{NAME}" in object.metadata.labels'
    patch = '[JSONPatch{op: "add", path: "/spec/strategy", value: {"type": "Recreate"}}]'
    with mutated(service, Mutation("proxies_replaced_at_once", DEPLOYMENT, when, patch)):
        yield
