"""A plan in words, for each way of running."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.frame.fakes import harmless
from tools.cases.case import Case
from tools.cases.plan import Planned, Step, tell
from tools.cases.requirement import Facts, Finding, claimed, feature, may
from tools.cluster.rules import Disruption
from tools.kube.llm_service import Place
from tools.kube.rights import Mode
from tools.outcomes import Level
from tools.profile import load_profile
from tools.settings import Cleanup, Settings, Where
from tools.skips import Skip, decide

LOCAL, OPENSHIFT = load_profile("local-gpu"), load_profile("openshift-ai")
SETTINGS = Settings(
    Where.LOCAL,
    "",
    None,
    {"gpu": LOCAL},
    False,
    None,
    Mode.DEPLOY,
    Disruption.NONE,
    "default",
    Cleanup.ALWAYS,
    True,
    None,
    False,
    "",
    None,
    "",
    Path("skips.yaml"),
    Path("known-issues.yaml"),
    {},
)
CASE = Case(
    "pool-is-there", "pool", Level.CORE, "The pool is there.", (), (harmless.shows("x"),), (), "suites/pool/test_p.py:7"
)
STEP = Step(CASE, "gpu", Facts(LOCAL))
SKIP = Skip("pool-is-there", "", "It waits.", "https://example.com/1", date(2026, 12, 31), "skips.yaml:1:3")


def told(*steps: Step, **changes: object) -> list[str]:
    return tell(Planned(replace(SETTINGS, **changes), steps)).splitlines()  # type: ignore[arg-type]


def test_on_the_local_cluster() -> None:
    assert told(STEP) == [
        "cluster: local; started if it does not run, and then removed at the end",
        f"profile for gpu: local-gpu ({', '.join(LOCAL.claims())})",
        "",
        "would be made:",
        "  Istio, KServe and what they need, unless they are there",
        f"  for gpu: namespace llmisvc-RUN-gpu with LLMInferenceService {LOCAL.service} ({LOCAL.model}),"
        " its own Gateway, an account that reads metrics",
        "  a Lease; all of it is removed at the end (--cleanup always)",
        "",
        "would run: 1 gpu (cases)",
        "  gpu  core      pool-is-there",
        "",
        "nothing was touched",
    ]


def test_on_kind() -> None:
    assert told(STEP, where=Where.KIND)[0] == "cluster: kind, made and removed by this run"


@pytest.mark.parametrize(("mode", "made"), [(Mode.READ, "nothing"), (Mode.PROBES, "a namespace with probe pods")])
def test_audits(mode: Mode, made: str) -> None:
    lines = told(STEP, where=Where.EXISTING, context="mine", mode=mode, target=Place("team", "llm"))
    assert lines[0] == f"cluster: existing, context mine; {mode}"
    assert "service: team/llm, as it is deployed" in lines
    assert lines[lines.index("would be made:") + 1].strip().startswith(made)


def test_at_a_gateway_that_is_there() -> None:
    reference = OPENSHIFT.gateway.reference
    assert reference is not None
    step = replace(STEP, facts=Facts(OPENSHIFT))
    lines = told(step, where=Where.EXISTING, context="mine", profiles={"gpu": OPENSHIFT}, cleanup=Cleanup.NEVER)
    assert any(f"at Gateway {reference.namespace}/{reference.name}" in line for line in lines)
    assert any("--cleanup never" in line for line in lines)
    assert not any("Istio, KServe" in line for line in lines)
    install = told(step, where=Where.EXISTING, context="mine", profiles={"gpu": OPENSHIFT}, install=True)
    assert "  Istio, KServe and what they need, unless they are there" in install


def test_what_is_left_out_and_why() -> None:
    denied = Finding(False, "--allow-disruption=service", "it is not given")
    steps = [
        replace(
            STEP,
            case=replace(CASE, requires=(claimed("kiali"), may("shake"), may("quake"))),
            facts=Facts(LOCAL, {"shake": denied, "quake": denied}),
        ),
        replace(STEP, case=replace(CASE, requires=(feature("keda"), feature("keda"), may("pray")))),
        replace(STEP, skip=decide([SKIP], "pool-is-there", "gpu", date(2026, 12, 31))),
        replace(STEP, skip=decide([SKIP], "pool-is-there", "gpu", date(2027, 1, 1))),
        replace(STEP, fault="picker_stopped"),
    ]
    lines = told(*steps)[8:-2]
    assert lines[0] == "would run: 2 gpu (proofs)"
    assert [line.removeprefix("  gpu  core      pool-is-there") for line in lines[1:]] == [
        "  NOT SUPPORTED: need a profile that promises kiali; have profile local-gpu does not;"
        " need --allow-disruption=service; have it is not given",
        "  if it may or has: the feature keda; pray",
        f"  SKIPPED: {steps[2].skip.text}",
        f"  FAILED: {steps[3].skip.text}",
        " by picker_stopped",
    ]


def test_nothing_to_run() -> None:
    assert "would run: none (cases)" in told()
