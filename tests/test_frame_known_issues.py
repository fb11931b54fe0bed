"""A known issue is seen, told with its link in every report, and never a pass; any other failure is one as ever."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.frame.checkout import Checkout, Session, on
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome, Sighting
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
leak = file_fault("leak")

@case("route-passes")
def test_passes(service):
    """Nothing is known to be wrong."""

@case("route-known", fault=[leak.shows("no file leak")])
def test_known(service):
    """It gives answers of its own."""
    holds("leak", service)
    check(False, "its own answer", "the answer of the other service", cause="merged hosts", next_step="kubectl get vs")

@case("route-known-extended", level="extended")
def test_known_extended(service):
    """It gives answers of its own."""
    assert False, "the answer of the other service"
'''
MORE = '''
@case("route-solved")
def test_solved(service):
    """Upstream has mended it."""

@case("route-other")
def test_other(service):
    """Upstream breaks it, and here it is broken otherwise."""
    check(False, "its own answer", "no answer")

@case("route-expired")
def test_expired(service):
    """Upstream does not mend it."""
    check(False, "its own answer", "the answer of the other service")

@case("route-elsewhere")
def test_elsewhere(service):
    """Upstream breaks it in other versions."""
    check(False, "its own answer", "the answer of the other service")
'''
LINK = "https://github.com/istio/istio/issues/7"
TODAY = date.today()


def entry(case: str, **changes: Any) -> dict[str, Any]:
    """An entry that fits the recorded cluster."""
    plain = {
        "case": case,
        "words": ["the answer of the", "other service"],
        "link": LINK,
        "what": "istiod merges virtual hosts.",
        "versions": {"kserve": ">=0.1"},
        "since": "2026-11-24",
        "expires": str(TODAY),
    }
    return plain | changes


def known(checkout: Checkout, *entries: dict[str, Any]) -> str:
    """The option with a file of these entries."""
    path: Path = checkout.path / "known-issues.yaml"
    path.write_text(yaml.safe_dump(list(entries), sort_keys=False))
    return f"--known-issues={path}"


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_known_issue_is_no_pass_and_no_failure(checkout: Checkout, fake_cluster: FakeCluster, workers: str) -> None:
    checkout.local(fake_cluster)
    checkout.suite("route", CASES)
    option = known(checkout, entry("route-known"), entry("route-known-extended"))
    session = checkout.session("-m", "gpu", f"--profile={checkout.profile()}", option, workers)
    assert session.outcomes == {
        "route-passes": Outcome.PASSED,
        "route-known": Outcome.KNOWN_ISSUE,
        "route-known-extended": Outcome.KNOWN_ISSUE,
    }
    assert session.status == ExitCode.REHEARSAL
    assert_told(session)


def assert_told(session: Session) -> None:
    """On the terminal, in the record, and in every report."""
    case = session.cases["route-known"]
    assert case.message.startswith(
        f"known issue: istiod merges virtual hosts. ({LINK}; since 2026-11-24, until {TODAY}"
    )
    assert case.message.endswith("expected its own answer; observed the answer of the other service")
    assert case.details.startswith("expected:       its own answer\n")
    assert [(each.link, each.sighting) for each in case.known_issues] == [(LINK, Sighting.SEEN)]
    assert case.evidence
    assert "2 known issue" in session.output
    assert "cases executed: 1 gpu; 1 passed, 2 known issue" in session.output
    told = f"1 core case failed by a known issue: route-known (gpu): istiod merges virtual hosts. {LINK}"
    assert told in session.output
    assert f"1 extended case failed by a known issue: route-known-extended (gpu): istiod merges virtual hosts. {LINK}"
    assert session.reports is not None
    page = (session.reports / "summary.html").read_text()
    assert "Known issues upstream" in page
    for name in ("summary.html", "junit.xml", "conformance-report.yaml", "run.json"):
        text = (session.reports / name).read_text()
        assert (name, LINK in text) == (name, True)
        assert (name, "known issue" in text) == (name, True)
    results = [each.read_text() for each in (session.reports / "allure-results").glob("*-result.json")]
    assert sum('"known": true' in each and LINK in each for each in results) == 2


def test_a_known_core_issue_keeps_a_run_from_being_a_release(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("route", CASES)
    option = known(checkout, entry("route-known"), entry("route-known-extended"))
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", option)
    assert session.status != ExitCode.RELEASABLE
    assert session.status != ExitCode.PRODUCT_FAILURE


def test_only_what_is_known_is_known(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.local(fake_cluster)
    checkout.suite("route", CASES + MORE)
    option = known(
        checkout,
        entry("route-known"),
        entry("route-known-extended"),
        entry("route-solved"),
        entry("route-other"),
        entry("route-expired", expires=str(TODAY - timedelta(days=1))),
        entry("route-elsewhere", versions={"kserve": "<0.1"}),
    )
    session = checkout.session("-m", "gpu", f"--profile={checkout.profile()}", option)
    assert session.status == ExitCode.PRODUCT_FAILURE
    seen = {name: [str(each.sighting) for each in case.known_issues] for name, case in session.cases.items()}
    assert {name: (str(case.outcome), seen[name]) for name, case in session.cases.items()} == {
        "route-passes": ("passed", []),
        "route-known": ("known issue", ["seen"]),
        "route-known-extended": ("known issue", ["seen"]),
        "route-solved": ("passed", ["not seen"]),
        "route-other": ("failed", ["another failure"]),
        "route-expired": ("failed", ["expired"]),
        "route-elsewhere": ("failed", []),
    }
    assert "- The known issue of route-solved (gpu) was not seen, so its entry may go (known-issues.yaml:" in (
        session.output.replace(f"{checkout.path}/", "")
    )
    assert f"- The known issue of route-expired (gpu) has expired on {TODAY - timedelta(days=1)} (" in session.output
    assert "this is not the known issue of the case" in session.cases["route-other"].details


def test_a_file_that_is_not_in_order_stops_the_run_before_anything_starts(
    checkout: Checkout, fake_cluster: FakeCluster
) -> None:
    checkout.local(fake_cluster)
    checkout.suite("route", CASES)
    session = checkout.session("-m", "gpu", known(checkout, entry("route-knwn"), entry("route-known", words=[])))
    assert session.status == ExitCode.MISUSE
    assert "there is no case 'route-knwn'; did you mean route-known?" in session.output
    assert "the file of known issues cannot be used" in session.output
    assert "words" in session.output
    assert checkout.notes() == []


def test_a_case_that_fails_without_a_fault_is_left_out_of_the_proofs(
    checkout: Checkout, fake_cluster: FakeCluster
) -> None:
    checkout.local(fake_cluster)
    checkout.suite("route", CASES)
    option = known(checkout, entry("route-known"))
    session = checkout.session(
        "-m", "gpu", f"--profile={checkout.profile()}", option, "--prove", "-k", "route-known and not extended"
    )
    (proof,) = session.written("prove.json")["proofs"]
    assert proof["left_out"].startswith(f"istiod merges virtual hosts. ({LINK}")
    assert (proof["proven"], proof["problem"], proof["ended_as"]) == (False, "", "known issue")
    assert session.outcomes == {"route-known": Outcome.KNOWN_ISSUE}
    assert "leak in" not in checkout.notes()
