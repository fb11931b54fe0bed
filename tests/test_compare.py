"""What changed since an earlier run."""

from dataclasses import replace

import pytest

from tests.report_runs import case
from tests.run_records import PROFILE, release
from tools.outcomes import Level, Outcome
from tools.report.compare import Change, Changes, compare
from tools.report.record import CaseRecord, Measure


def test_nothing_is_different_in_the_same_run_again() -> None:
    assert compare(release(run="2", started="2026-12-01T00:00:00Z", command="x"), release()) == Changes()


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        (Outcome.PASSED, Outcome.FAILED, "worse"),
        (Outcome.PASSED, Outcome.NOT_SUPPORTED, "worse"),
        (Outcome.PASSED, Outcome.SKIPPED, "worse"),
        (Outcome.NOT_RUN, Outcome.BROKEN, "worse"),
        (Outcome.BROKEN, Outcome.FAILED, "worse"),
        (Outcome.FAILED, Outcome.PASSED, "better"),
        (Outcome.NOT_SUPPORTED, Outcome.PASSED, "better"),
    ],
)
def test_a_case_that_ends_otherwise_is_worse_or_better(was: Outcome, now: Outcome, kind: str) -> None:
    found = compare(release(case("a-b", now)), release(case("a-b", was)))
    assert found == replace(Changes(), **{kind: (Change("a-b (gpu)", was, now),)})


def test_a_case_is_known_by_name_and_accelerator_and_not_by_place() -> None:
    moved = case("a-b", area="elsewhere", nodeid="suites/elsewhere/test_y.py::test_a_b[gpu]", line=3)
    assert compare(release(moved), release(case("a-b"))) == Changes()
    other = compare(release(case("a-b", accelerator="tpu")), release(case("a-b", Outcome.FAILED)))
    assert other == Changes(new=(Change("a-b (tpu)", "none", "passed"),), gone=(Change("a-b (gpu)", "failed", "none"),))


def test_a_case_that_weighs_less_is_told() -> None:
    found = compare(release(case("a-b", level=Level.EXTENDED)), release(case("a-b")))
    assert found == Changes(levels=(Change("a-b (gpu)", "core", "extended"),))


def test_versions_images_claims_cluster_suite_and_profile() -> None:
    baseline = release(versions={"kserve": "0.19.0", "istio": "1.30.0"}, images={"epp": "a@sha256:1"})
    record = release(
        versions={"kserve": "0.19.1", "gateway-api": "1.6.0"},
        images={"epp": "a@sha256:2"},
        claims={},
        context="other",
        suite={"version": "0.2.0", "commit": "f", "dirty": "false"},
        profiles=(replace(PROFILE, sha256="e" * 64),),
    )
    found = compare(record, baseline)
    assert found.versions == (
        Change("kserve", "0.19.0", "0.19.1"),
        Change("gateway-api", "none", "1.6.0"),
        Change("istio", "1.30.0", "none"),
    )
    assert found.images == (Change("epp", "a@sha256:1", "a@sha256:2"),)
    assert found.claims == (Change("sidecars", "every server has a sidecar", "none"),)
    assert found.cluster == (Change("context", "prod", "other"),)
    assert [each.what for each in found.suite] == ["version", "commit"]
    assert found.profiles == (Change("gpu", f"gke-t4, sha256 {'d' * 64}", f"gke-t4, sha256 {'e' * 64}"),)


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ((10.0, 30.0), (11.0, 30.0), False),  # a tenth
        ((0.1, 30.0), (0.9, 30.0), False),  # nine times as long, and less than a second
        ((10.0, 30.0), (13.0, 30.0), True),
        ((13.0, 30.0), (10.0, 30.0), True),
        ((29.9, 30.0), (30.1, 30.0), True),  # across its budget
        ((10.0, 30.0), (10.0, 60.0), True),  # another budget
    ],
)
def test_numbers_that_move_by_more_than_noise(was: tuple[float, float], now: tuple[float, float], told: bool) -> None:
    def measured(seconds: float, budget: float) -> CaseRecord:
        return case("a-b", measures=(Measure("time until Ready", seconds, budget),))

    found = compare(release(measured(*now)), release(measured(*was)))
    expected = Change(
        "a-b (gpu): time until Ready", f"{was[0]:.2f} s of {was[1]:g} s", f"{now[0]:.2f} s of {now[1]:g} s"
    )
    assert found == (Changes(measures=(expected,)) if told else Changes())
