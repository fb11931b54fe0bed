"""The controllers that keep the service as it should be: without them all looks well until something changes."""

import pytest

from tools.cases.capabilities import CONTROLLERS
from tools.explain import check
from tools.faults import controllers as faults
from tools.kube.client import Object
from tools.kube.kinds import DEPLOYMENT
from tools.kube.llm_service import LlmService


@pytest.mark.conformance(
    name="reconcile-controllers-run",
    level="core",
    requires=[CONTROLLERS],
    fault=faults.kserve_stopped.shows("llmisvc-controller-manager has 0 of", "nobody reconciles"),
    checks=["route", "pool"],
)
def test_controllers_run(service: LlmService) -> None:
    """KServe's controller and istiod, which the profile names, each have a replica that is available."""
    for place in (service.controller, service.istiod):
        found = service.kube.find(DEPLOYMENT, place.name, place.namespace)
        check(
            _available(found) > 0,
            f"Deployment {place}, with at least one replica available",
            f"{place.name} has {_available(found)} of {_wanted(found)}" if found else f"there is no Deployment {place}",
            cause="it was scaled down, crashes or cannot be placed: nobody reconciles the service or tells proxies",
            next_step=service.kube.kubectl("-n", place.namespace, "describe", f"deployment/{place.name}"),
        )


def _available(found: Object | None) -> int:
    return int((found or {}).get("status", {}).get("availableReplicas", 0))


def _wanted(found: Object | None) -> int:
    return int((found or {}).get("spec", {}).get("replicas", 1))
