"""Faults of those who show what a service does: they are away."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.common import scaled
from tools.faults.fault import Scope, fault
from tools.kube.kinds import DEPLOYMENT
from tools.kube.llm_service import LlmService


@fault(scope=Scope.CLUSTER)
def kiali_away(service: LlmService) -> Iterator[None]:
    """No Kiali runs."""
    with _away(service, "app=kiali"):
        yield


@fault(scope=Scope.CLUSTER)
def jaeger_away(service: LlmService) -> Iterator[None]:
    """No Jaeger runs."""
    with _away(service, "app=jaeger"):
        yield


@contextmanager
def _away(service: LlmService, labels: str) -> Iterator[None]:
    found = service.kube.objects(DEPLOYMENT, labels=labels)
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} Deployments have the label {labels}, not one")
    with scaled(service.kube, found[0]["metadata"]["namespace"], found[0]["metadata"]["name"], 0):
        yield
