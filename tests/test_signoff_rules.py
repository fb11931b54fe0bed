"""The rules of a sign-off, one by one."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.report_runs import case, known_issue
from tests.run_records import COMMIT, PROFILE, rehearsal, release
from tools.outcomes import Level, Outcome
from tools.report.record import ProofRecord, RunRecord
from tools.report.signoff_rules import Rule, decide
from tools.skips import Skip
from tools.skips import decide as decide_skip

DAY = date(2026, 11, 24)
BUDGETS: dict[str, Any] = {"claims": {"budgets": "its budgets"}}


def asking(**signoff: Any) -> dict[str, Any]:
    """A run whose profile asks for these."""
    return {"profiles": (replace(PROFILE, signoff={**PROFILE.signoff, **signoff}),)}


def skipped(until: date, level: Level = Level.EXTENDED) -> Any:
    """A case that a person took out, as the plugin records it."""
    entry = Skip("a-b", "", "Waits for a fix of 2026-01-01.", "https://example.com/1", until, "skips.yaml:1:1")
    text = decide_skip([entry], "a-b", "gpu", min(until, DAY)).text
    return case("a-b", Outcome.SKIPPED, level=level, message=text)


def known(until: date, level: Level = Level.EXTENDED) -> Any:
    """A case that failed as it is known to."""
    return case("a-b", Outcome.KNOWN_ISSUE, level=level, known_issues=(known_issue(until=until.isoformat()),))


def rule(name: str, record: RunRecord, proof: ProofRecord | None = None, files: tuple[str, ...] = ()) -> Rule:
    """The rule of that name for a run."""
    return next(each for each in decide(record, files, DAY, proof) if each.name == name)


def test_a_run_that_may_go_out_keeps_every_rule() -> None:
    assert [each.name for each in decide(release(), (), DAY, None) if not each.ok] == []


@pytest.mark.parametrize(
    ("name", "record", "have"),
    [
        ("verdict", release(), "RELEASABLE: All 2 executed cases passed."),
        ("core-passed", release(), "core cases: 2 passed"),
        ("core-passed", release(case("x-y", Outcome.FAILED, level=Level.EXTENDED)), "core cases: 2 passed"),
        (
            "core-passed",
            release(case("x-y", Outcome.NOT_SUPPORTED, checks=("jaeger",))),
            "core cases: 2 passed; 1 about what the profile does not promise",
        ),
        ("minimum-executed", release(), "2 for gpu"),
        ("versions-in-range", release(), "kserve 0.19.0, gateway-api 1.6.0, gateway-api-channel standard"),
        ("budgets-certified", release(), "the profile states no load budgets"),
        ("budgets-certified", release(case("x-y", checks=("budgets",)), **BUDGETS), "certified"),
        ("no-expired-skip", release(), "0 skips, none of them expired"),
        ("no-expired-skip", release(skipped(DAY)), "1 skip, none of them expired"),
        ("no-expired-known-issue", release(), "0 known issues, none of them expired"),
        ("no-expired-known-issue", release(known(DAY)), "1 known issue, none of them expired"),
        ("prove-rate", release(), "no proof; none is asked for"),
        ("suite-clean", release(), f"commit {COMMIT}, without changes"),
        ("evidence-there", release(), "0 files, all there"),
    ],
)
def test_a_rule_that_is_kept(name: str, record: RunRecord, have: str) -> None:
    found = rule(name, record)
    assert (found.ok, found.have) == (True, have)


@pytest.mark.parametrize(
    ("name", "record", "have"),
    [
        ("verdict", rehearsal(), "REHEARSAL: All 2 executed cases passed. A rehearsal, not a release."),
        ("core-passed", release(case("x-y", Outcome.FAILED)), "core cases: 2 passed, 1 failed"),
        ("core-passed", release(case("x-y", Outcome.NOT_SUPPORTED)), "core cases: 2 passed, 1 not supported"),
        ("core-passed", release(skipped(DAY, Level.CORE)), "core cases: 2 passed, 1 skipped"),
        ("core-passed", release(cases=()), "core cases: no cases"),
        ("minimum-executed", release(**asking(minimum_executed=3)), "2 for gpu"),
        ("minimum-executed", release(case("x-y", Outcome.BROKEN), **asking(minimum_executed=3)), "2 for gpu"),
        ("minimum-executed", release(profiles=()), "no profile"),
        (
            "versions-in-range",
            release(versions={"kserve": "0.20.0"}),
            "kserve 0.20.0 is outside the profile's >=0.19,<0.20.",
        ),
        (
            "budgets-certified",
            release(**BUDGETS),
            "not certified: no executed and passed case measures them for gke-t4",
        ),
        ("no-expired-skip", release(skipped(date(2026, 11, 23))), "expired: a-b (gpu), until 2026-11-23"),
        (
            "no-expired-skip",
            release(case("a-b", Outcome.SKIPPED, level=Level.EXTENDED, message="later")),
            "expired: a-b (gpu), until no date is told",
        ),
        ("no-expired-known-issue", release(known(date(2026, 11, 23))), "expired: a-b (gpu), until 2026-11-23"),
        ("core-passed", release(known(DAY, Level.CORE)), "core cases: 2 passed, 1 known issue"),
        ("prove-rate", release(**asking(prove_rate_minimum=0.5)), "no proof"),
        (
            "suite-clean",
            release(suite={"commit": COMMIT, "dirty": "true"}),
            f"commit {COMMIT}, with changes that are in no commit",
        ),
        ("suite-clean", release(suite={"commit": COMMIT}), f"commit {COMMIT}, changes unknown"),
        ("suite-clean", release(suite={"dirty": "false"}), "commit unknown, without changes"),
        ("evidence-there", release(case("x-y", evidence=("evidence/a.txt",))), "missing: evidence/a.txt"),
    ],
)
def test_a_rule_that_is_broken(name: str, record: RunRecord, have: str) -> None:
    found = rule(name, record)
    assert (found.ok, found.have) == (False, have)


def test_budgets_that_the_profile_does_without_are_told_and_no_obstacle() -> None:
    found = rule("budgets-certified", release(**BUDGETS, **asking(budgets_certified=False)))
    assert found.ok
    assert found.have.startswith("not certified")


@pytest.mark.parametrize(("proven", "ok"), [(9, True), (8, True), (7, False)])
def test_the_share_of_all_cases_that_were_proven(proven: int, ok: bool) -> None:
    # All cases count, not only those that were to be proven in that run.
    found = rule("prove-rate", release(**asking(prove_rate_minimum=0.8)), ProofRecord(proven, proven, 10))
    assert (found.ok, found.have) == (ok, f"{proven} of 10 cases proven ({proven}0%)")


def test_a_suite_without_cases_has_proved_nothing() -> None:
    assert not rule("prove-rate", release(**asking(prove_rate_minimum=0.1)), ProofRecord(0, 0, 0)).ok


def test_evidence_that_is_there() -> None:
    record = release(case("x-y", evidence=("evidence/a.txt",)))
    assert rule("evidence-there", record, files=("run.json", "evidence/a.txt")).have == "1 file, all there"
