"""Faults of the controllers: what they keep up goes on as it is, and nothing is put right any more."""

from collections.abc import Iterator

from tools.faults.common import scaled
from tools.faults.fault import Scope, fault
from tools.kube.llm_service import LlmService


@fault(scope=Scope.CLUSTER)
def kserve_stopped(service: LlmService) -> Iterator[None]:
    """KServe's controller does not run: services go on answering, and changes to them have no effect."""
    place = service.controller
    with scaled(service.kube, place.namespace, place.name, 0):
        yield
