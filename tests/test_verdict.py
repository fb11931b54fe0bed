"""The verdict of a run: nothing but a whole, green run on the real thing may go out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.report_runs import STANDIN, case, known_issue
from tests.run_records import PROFILE, rehearsal, release
from tools.outcomes import Level, Outcome, Sighting
from tools.report.record import RunRecord, dump, load
from tools.report.verdict import Verdict, judge

WANTS_FIVE = replace(PROFILE, signoff={"minimum_executed": 5})
GATEWAY_API = replace(PROFILE, versions={"gateway_api": ">=1.4"})
TPU = replace(PROFILE, name="gke-tpu-v6e", accelerator="tpu")


def test_a_whole_green_run_on_the_real_thing_is_releasable() -> None:
    found = judge(release())
    assert found.verdict is Verdict.RELEASABLE
    assert found.reasons == ("All 2 executed cases passed.",)


def test_the_verdict_is_the_same_after_writing_and_reading_the_record() -> None:
    for record in (release(), rehearsal(case("a-b", Outcome.FAILED)), release(case("a-b", Outcome.SKIPPED))):
        assert judge(load(dump(record))) == judge(record)


@pytest.mark.parametrize(
    ("record", "first"),
    [
        (release(case("pool-selects", Outcome.FAILED)), "1 core case failed: pool-selects (gpu)."),
        (
            release(case("pool-selects", Outcome.FAILED, level=Level.EXTENDED)),
            "1 extended case failed: pool-selects (gpu).",
        ),
        (rehearsal(case("pool-selects", Outcome.FAILED)), "1 core case failed: pool-selects (gpu)."),
        (release(case("a-b", Outcome.FAILED), ended_by="interrupted"), "1 core case failed: a-b (gpu)."),
        (release(case("a-b", Outcome.FAILED), case("c-d", Outcome.BROKEN)), "1 core case failed: a-b (gpu)."),
        (
            release(case("a-b", Outcome.FAILED, level=Level.EXTENDED), case("c-d", Outcome.FAILED)),
            "1 core case failed: c-d (gpu).",
        ),
        (
            release(case("a-b", Outcome.FAILED), case("a-b", Outcome.FAILED, accelerator="tpu")),
            "2 core cases failed: a-b (gpu, tpu).",
        ),
    ],
)
def test_a_broken_promise_is_not_releasable_whatever_else_happened(record: RunRecord, first: str) -> None:
    found = judge(record)
    assert found.verdict is Verdict.NOT_RELEASABLE
    assert found.reasons[0] == f"The product broke a promise: {first}"


@pytest.mark.parametrize("make", [release, rehearsal])
@pytest.mark.parametrize(
    ("cases", "changes", "expected"),
    [
        ([case("a-b", Outcome.BROKEN)], {}, "1 case broke: suite or cluster could not tell"),
        ([case("a-b", Outcome.BROKEN, level=Level.EXTENDED)], {}, "1 case broke"),
        ([case("a-b", Outcome.NOT_RUN)], {}, "1 case did not run, because what it rests on failed before: a-b (gpu)."),
        (
            [case("a-b", Outcome.NOT_RUN, level=Level.EXTENDED), case("c-d", Outcome.NOT_RUN)],
            {},
            "c-d (gpu), a-b (gpu).",
        ),
        ([], {"cases": ()}, "No case was executed"),
        ([], {"cases": (case("a-b", Outcome.NOT_SUPPORTED),)}, "No case was executed"),
        ([], {"ended_by": "the cluster never came up"}, "The run ended early: the cluster never came up."),
        (
            [case(f"a-{number}", Outcome.NOT_SUPPORTED, level=Level.EXTENDED) for number in range(3)],
            {"profiles": (WANTS_FIVE,)},
            "Of 5 selected cases 2 were executed; the profile gke-t4 wants at least 5.",
        ),
    ],
)
def test_what_cannot_tell_is_inconclusive_on_any_cluster(
    make: Any, cases: list[Any], changes: dict[str, Any], expected: str
) -> None:
    found = judge(make(*cases, **changes))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert expected in found.reasons[0]


@pytest.mark.parametrize(
    ("cases", "changes", "expected"),
    [
        (
            [case("a-b", Outcome.NOT_SUPPORTED)],
            {},
            "1 core case not supported by this cluster, which is not a pass: a-b (gpu).",
        ),
        ([case("a-b", Outcome.SKIPPED)], {}, "1 core case skipped by a person: a-b (gpu)."),
        (
            [case("a-b", Outcome.KNOWN_ISSUE, known_issues=(known_issue(),))],
            {},
            "1 core case failed by a known issue: a-b (gpu): istiod merges virtual hosts."
            " https://github.com/istio/istio/issues/7",
        ),
        ([], {"claims": {"budgets": "its budgets"}}, "1 promise checked by no passed case: budgets."),
        (
            [case("budget-held", Outcome.NOT_SUPPORTED, level=Level.EXTENDED, checks=("budgets",))],
            {"claims": {"budgets": "its budgets"}},
            "1 promise checked by no passed case: budgets.",
        ),
        (
            [case("a-b", accelerator="tpu"), case("c-d", accelerator="tpu")],
            {"profiles": (PROFILE, TPU)},
            "1 promise checked by no passed case: sidecars (tpu).",
        ),
        ([], {"profiles": (WANTS_FIVE,)}, "2 cases were executed for gpu; the profile gke-t4 wants at least 5."),
        ([], {"versions": {"kserve": "v0.18.1"}}, "kserve v0.18.1 is outside the profile's >=0.19,<0.20."),
        ([], {"versions": {}}, "The version of kserve could not be told; the profile accepts >=0.19,<0.20."),
        ([], {"versions": {"kserve": "latest"}}, "Whether kserve latest is in >=0.19,<0.20 could not be told."),
        ([], {"profiles": ()}, "No profile says what the release promises."),
    ],
)
def test_a_gap_prevents_a_release_and_is_told_in_a_rehearsal(
    cases: list[Any], changes: dict[str, Any], expected: str
) -> None:
    real, rehearsed = judge(release(*cases, **changes)), judge(rehearsal(*cases, **changes))
    assert (real.verdict, rehearsed.verdict) == (Verdict.INCONCLUSIVE, Verdict.REHEARSAL)
    assert expected in real.reasons
    assert expected in rehearsed.reasons


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"standins": (STANDIN,)}, "1 stand-in in use: accelerators."),
        (
            {"images": {"a/b/main": "localhost/llmisvc-conformance/simulator:latest", "c/d/e": "quay.io/x@sha256:1"}},
            "1 image that only local clusters have: localhost/llmisvc-conformance/simulator:latest.",
        ),
        ({"accelerator_real": False}, "The accelerators of the profile were not there."),
        ({"provider": "kind"}, "It ran on a kind cluster, not on the cluster that the release is for."),
        ({"provider": "local"}, "It ran on the local cluster, not on the cluster that the release is for."),
    ],
)
def test_one_thing_that_is_not_real_makes_a_rehearsal(changes: dict[str, Any], expected: str) -> None:
    found = judge(release(**changes))
    assert found.verdict is Verdict.REHEARSAL
    assert found.reasons == ("All 2 executed cases passed. A rehearsal, not a release.", expected)


@pytest.mark.parametrize(
    ("cases", "changes", "expected"),
    [
        (
            [case("a-b", Outcome.NOT_SUPPORTED, level=Level.EXTENDED)],
            {},
            "1 extended case not supported by this cluster: a-b (gpu).",
        ),
        ([case("a-b", Outcome.SKIPPED, level=Level.EXTENDED)], {}, "1 extended case skipped by a person: a-b (gpu)."),
        (
            [case("a-b", Outcome.KNOWN_ISSUE, level=Level.EXTENDED, known_issues=(known_issue(),))],
            {},
            "1 extended case failed by a known issue: a-b (gpu): istiod merges virtual hosts."
            " https://github.com/istio/istio/issues/7",
        ),
        (
            [case("a-b", known_issues=(known_issue(Sighting.NOT_SEEN),))],
            {},
            "The known issue of a-b (gpu) was not seen, so its entry may go (manifests/known-issues.yaml:1:3).",
        ),
        (
            [],
            {
                "claims": {"budgets": "its budgets"},
                "profiles": (replace(PROFILE, signoff={"budgets_certified": False}),),
            },
            "The load budgets of gke-t4 are not certified, which its sign-off does not ask for.",
        ),
        ([], {"trouble": ("namespace x stays",)}, "The run had trouble of its own: namespace x stays."),
        ([], {"versions": {"kserve": "v0.19.3", "extra": "1"}}, ""),
        ([], {"versions": {"gateway-api": "1.6.0"}, "profiles": (GATEWAY_API,)}, ""),
        (
            [case("traces-arrive", Outcome.NOT_SUPPORTED, checks=("jaeger",))],
            {},
            "1 core case about what the profile does not promise: traces-arrive (gpu).",
        ),
    ],
)
def test_what_does_not_weigh_is_told(cases: list[Any], changes: dict[str, Any], expected: str) -> None:
    found = judge(release(*cases, **changes))
    assert found.verdict is Verdict.RELEASABLE
    assert found.reasons[1:] == ((expected,) if expected else ())


def test_many_cases_are_not_all_named() -> None:
    found = judge(release(*[case(f"a-{number}", Outcome.FAILED) for number in range(10)]))
    assert found.reasons[0].endswith("a-7 (gpu) and 2 more.")


def test_where_nothing_was_executed_nothing_else_is_missing() -> None:
    found = judge(release(cases=(case("a-b", Outcome.NOT_RUN),), versions={}, ended_by="the cluster never came up"))
    assert found.reasons == (
        "The run ended early: the cluster never came up.",
        "No case was executed, so nothing was shown.",
        "1 case did not run: a-b (gpu).",
    )
