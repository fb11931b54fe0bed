"""What the controller makes of the same service today is what the service has: nothing is stale, edited or added."""

import pytest

from fixtures.throwaway import Throwaway
from tools.explain import bullets, check
from tools.faults import children, pool, routing
from tools.faults import reconcile as faults
from tools.kube import relatives
from tools.kube.kinds import LLM_SERVICE
from tools.kube.llm_service import LlmService


@pytest.mark.conformance(
    name="reconcile-children-equal-a-twins",
    level="core",
    fault=[
        faults.spec_edited.shows("spec: template.containers[main].env", "KSERVE_CONFORMANCE", "changed since"),
        faults.preset_shadowed.shows("route: spec.rules", "60s", "LLMInferenceServiceConfig of the same name"),
        faults.scheduler_config_kept.shows("picker: spec.template.spec.containers[main].args", "weight: 9"),
        children.service_of_another_protocol.shows(
            "workload service: spec.ports[http].appProtocol is https, and not http"
        ),
        children.role_narrowed.shows("picker role: rules"),
        children.token_reviews_unbound.shows("picker token reviews: it is not there"),
        children.account_without_secrets.shows("picker account: secrets"),
        pool.failure_mode_flipped.shows("pool: spec.endpointPickerRef.failureMode"),
        routing.route_past_the_pool.shows("route: spec.rules[v1-completions-path].backendRefs"),
    ],
    checks=["route", "pool", "picker"],
)
def test_children_equal_a_twins(service: LlmService, throwaway: Throwaway) -> None:
    """Every child is what the controller makes of the same service anew, in every field that is not of one place."""
    with throwaway("twin") as twin:
        wanted, found = relatives.specified(twin), relatives.specified(service)
        edited = relatives.unlike({"spec": wanted}, {"spec": found})
        mine = relatives.expected(service)
        lines = edited or relatives.unlike(
            relatives.portrait(twin, relatives.expected(twin)), relatives.portrait(service, mine)
        )
    check(
        not lines,
        f"spec and {len(mine)} children of {service.name} like those of a service just made of the same manifests",
        bullets(lines),
        cause=_SINCE if edited else relatives.hands_on(service, mine, lines) + _CAUSE,
        next_step=service.kubectl("get", LLM_SERVICE.resource, service.name, "-o", "yaml", "--show-managed-fields"),
    )


_SINCE = "spec was changed since the release was applied: the cluster's service is not what the manifests say"
_CAUSE = (
    "Somebody changed it and the controller does not put it back (it does not run, may not, or does not watch this"
    " kind); a LLMInferenceServiceConfig of the same name in the namespace is taken in place of KServe's preset; or it"
    " was made by an older preset (a scheduler's configuration is kept for ever)"
)
