"""Records of runs for the tests of the reports: one passed case and a clean cluster, changed by each test."""

from dataclasses import replace
from typing import Any

from tools.explain import Violation
from tools.outcomes import Level, Outcome, Sighting
from tools.report.record import (
    CaseRecord,
    FeatureRecord,
    KnownIssueRecord,
    Measure,
    ProfileRecord,
    ProofRecord,
    RunRecord,
    StandInRecord,
)

FAILURE = str(
    Violation(
        "every picker to know 2 ready pods",
        "READY_PODS is 0,\nin picker-7d9 of llmisvc-1-gpu",
        cause="the picker may not list pods",
        next_step="kubectl get pods --show-labels -n llmisvc-1-gpu",
        details="curl -H 'Authorization: Bearer $TOKEN' http://203.0.113.4/",
    )
)
STANDIN = StandInRecord("accelerators", "a device plugin", "T4 GPUs", ("drivers and CUDA", "that anything computes"))
PROFILES = (
    ProfileRecord("local-gpu", "manifests/profiles/local-gpu.yaml", "a" * 64, "gpu", {"minimum_executed": 1}),
    ProfileRecord("local-tpu", "manifests/profiles/local-tpu.yaml", "b" * 64, "tpu", {}, {"kserve": ">=0.19,<0.20"}),
)


def case(name: str = "selects-servers", outcome: Outcome = Outcome.PASSED, **changes: Any) -> CaseRecord:
    """A case of the pool on GPUs; one that did not pass has words for it."""
    accelerator = changes.get("accelerator", "gpu")
    made = CaseRecord(
        name=name,
        accelerator=accelerator,
        area="pool",
        level=Level.CORE,
        promise=f"The promise of {name}.",
        nodeid=f"suites/pool/test_pool.py::test_{name.replace('-', '_')}[{accelerator}]",
        outcome=outcome,
        seconds=1.25,
        message="" if outcome is Outcome.PASSED else f"{outcome}: the picker knows no pod",
        details=FAILURE if outcome is Outcome.FAILED else "",
        line=22,
    )
    return replace(made, **changes)


def run(*cases: CaseRecord, **changes: Any) -> RunRecord:
    """A finished run on an existing cluster, green if its cases are; without cases it has one that passed."""
    made = RunRecord(
        run="1124-090000-a1",
        started="2026-11-24T09:00:00Z",
        ended="2026-11-24T09:04:30Z",
        command="pytest -m gpu --cluster existing --context prod --profile local-gpu",
        suite={"version": "0.1.0", "commit": "fa89892c0ffee", "dirty": "false"},
        provider="existing",
        context="prod",
        identity="6d3c2c1e-uid",
        installed=False,
        target="",
        ended_by="finished",
        trouble=(),
        profiles=PROFILES[:1],
        claims={},
        versions={"kserve": "0.19.0", "gateway-api": "1.6.0", "gateway-api-channel": "standard"},
        images={"picker": "example.com/picker@sha256:" + "c" * 64},
        features=(FeatureRecord("inference-pool-v1", True, "v1 is served", "CRD inferencepools"),),
        standins=(),
        accelerator_real=True,
        cases=cases or (case(),),
    )
    return replace(made, **changes)


def of_every_outcome(**changes: Any) -> RunRecord:
    """One case of each outcome on each of two accelerators, with a number, claims, stand-ins and proof."""
    cases = tuple(
        case(
            f"ends-{outcome.replace(' ', '-')}",
            outcome,
            accelerator=accelerator,
            level=level,
            checks=("sidecars",) if outcome is Outcome.PASSED else (),
            measures=(Measure("time until ready", 12.5, 10.0, "first of two"),) if outcome is Outcome.FAILED else (),
            evidence=("evidence/pool.txt",) if outcome is Outcome.FAILED else (),
            known_issues=(known_issue(),) if outcome is Outcome.KNOWN_ISSUE else (),
        )
        for accelerator, level in (("gpu", Level.CORE), ("tpu", Level.EXTENDED))
        for outcome in Outcome
    )
    facts = {
        "provider": "local",
        "profiles": PROFILES,
        "claims": {"sidecars": "every server has a sidecar", "strict-mtls": "plain text is refused"},
        "features": (
            FeatureRecord("inference-pool-v1", True, "v1 is served", "CRD inferencepools"),
            FeatureRecord("telemetry", False, "no such metric", "the gateway's /stats"),
            FeatureRecord("network-policy", None, "the canary did not start", "two probe pods"),
        ),
        "standins": (STANDIN,),
        "accelerator_real": False,
        "trouble": ("namespace llmisvc-1-gpu is still there",),
        "proof": ProofRecord(3, 4, 12),
    }
    return run(*cases, **(facts | changes))


def known_issue(sighting: Sighting = Sighting.SEEN, **changes: Any) -> KnownIssueRecord:
    """An entry about a case, and what was seen of it."""
    made = KnownIssueRecord(
        "istiod merges virtual hosts.",
        "https://github.com/istio/istio/issues/7",
        "2026-12-31",
        "manifests/known-issues.yaml:1:3",
        sighting.value,
    )
    return replace(made, **changes)
