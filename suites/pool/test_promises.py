"""Pool and picker are what the profile says, in things that no request shows while all is well."""

import pytest

from tools.cases.capabilities import READS_POLICIES
from tools.explain import bullets, check
from tools.faults import picker as picker_faults
from tools.faults import pool as faults
from tools.faults import routing
from tools.kube import picker_flags
from tools.kube.kinds import DESTINATION_RULE, POOL
from tools.kube.llm_service import LlmService, source
from tools.kube.picker_path import serves_tls, serving_trouble, verifying_trouble
from tools.profile import Profile

# What the API server puts in where nothing is said (GIE v1).
_UNSAID = "FailClose"


@pytest.mark.conformance(
    name="pool-fails-as-promised",
    level="core",
    fault=faults.failure_mode_flipped.shows("the profile promises", "failureMode is"),
    checks=["picker"],
)
def test_fails_as_promised(service: LlmService, profile: Profile) -> None:
    """Without an answer of the picker, requests are let through or refused as the profile promises (failureMode)."""
    pool = service.child("pool")
    found = pool["spec"]["endpointPickerRef"].get("failureMode", _UNSAID)
    check(
        found == profile.picker.failure_mode,
        f"failureMode {profile.picker.failure_mode}, as the profile promises",
        f"failureMode is {found}, in {source(pool)}",
        cause="spec.router.scheduler.pool sets another, or somebody changed the pool; KServe's preset says FailOpen",
        next_step=service.kubectl("get", POOL.resource, pool["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="picker-tls-is-as-promised",
    level="core",
    requires=[READS_POLICIES],
    fault=[
        routing.destination_rule_removed.shows("there is no DestinationRule for vllm-gemma-epp-service in llmisvc-"),
        picker_faults.picker_plaintext.shows("serves plaintext (--secure-serving=false)"),
        picker_faults.picker_verified.shows("wants the certificate verified", "of its own making"),
    ],
    checks=["picker"],
)
def test_tls_is_as_promised(service: LlmService, profile: Profile) -> None:
    """Gateway and picker both speak TLS exactly if the profile promises it, and what is to be verified can be."""
    rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    host, namespace = service.children["picker service"][1], service.namespace
    found, flags = service.pickers(), picker_flags.flags(picker_flags.main(service.child("picker")))
    wrong = serving_trouble(rules, host, namespace, tls=serves_tls(found))
    wrong += verifying_trouble(rules, host, namespace, certified=bool(flags["cert-path"]))
    if not wrong and serves_tls(found) is not profile.picker.tls:
        wrong = [f"gateway and picker speak {'TLS' if serves_tls(found) else 'plaintext'}"]
    check(
        not wrong,
        f"a gateway that speaks {'TLS' if profile.picker.tls else 'plaintext'} to the picker, as the profile promises",
        bullets(wrong),
        cause="the rule is applied apart from the service, and was forgotten, removed or changed (KServe makes none);"
        " the picker serves TLS unless it is told --secure-serving=false",
        next_step=service.kubectl("get", DESTINATION_RULE.resource, "-o", "yaml"),
    )
