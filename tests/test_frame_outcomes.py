"""How a case can end, in one session after the other: each ending has its outcome, its words, and its weight."""

from datetime import date, timedelta

import pytest
import yaml

from tests.frame.checkout import Checkout, Session, on
from tests.frame.cluster import FakeCluster
from tools.outcomes import Level, Outcome
from tools.report.exit_codes import ExitCode
from tools.report.record import Measure

pytest_plugins = ["pytester", "tests.frame.fixtures"]

TODAY = date.today()
CASES = '''
@case("pool-passes")
def test_passes(service, accelerator, record):
    """Everything is as it is promised to be."""
    record("the answer", 1.5, 2.0, "of several")

@case("pool-fails")
def test_fails(service):
    """The product breaks a promise."""
    check(False, "a pool", "none in the namespace", cause="it was deleted", next_step="kubectl get pools")

@case("pool-asserts")
def test_asserts(service):
    """The product breaks a promise, and a bare assertion says so."""
    assert service.name == "another"

@case("pool-breaks")
def test_breaks(service):
    """The instrument fails, which says nothing about the product."""
    raise OSError("no route to the instrument")

@case("pool-mistaken")
def test_mistaken(service):
    """The user has made a mistake, and is told how to put it right."""
    raise UserError("a mirror", "none", next_step="name one")

@case("pool-skipped")
def test_skipped(service):
    """A person has left it out, for a while."""
    raise OSError("it ran")

@case("pool-expired")
def test_expired(service):
    """A person has left it out, for too long."""

@case("pool-elsewhere", requires=[feature("leader-worker-set")])
def test_elsewhere(service):
    """Only clusters with an addition can do that."""
    raise OSError("it ran")

@case("pool-unpromised", requires=[claimed("kiali")], level="extended")
def test_unpromised(service):
    """Only some releases promise that."""
    raise OSError("it ran")

@case("pool-forbidden", requires=[DISRUPT_CLUSTER])
def test_forbidden(service):
    """Only some clusters may be disturbed for it."""
    raise OSError("it ran")

@pytest.fixture
def missing(service):
    check(False, "a pool to begin with", "none")

@case("pool-not-begun")
def test_not_begun(missing):
    """What it rests on is not there."""

@pytest.fixture
def unreadable(service):
    raise OSError("no route to the pool")

@case("pool-not-set-up")
def test_not_set_up(unreadable):
    """What it rests on cannot be read."""

@case("pool-shirks")
def test_shirks(service):
    """It leaves itself out, which nobody would notice."""
    pytest.skip("not today")

@pytest.fixture
def untidy(service):
    yield
    raise OSError("it is still there")

@case("pool-left-behind")
def test_left_behind(untidy):
    """It passes, and cannot be undone."""

@case("pool-fails-twice")
def test_fails_twice(untidy):
    """It fails, and then cannot be undone."""
    check(False, "a pool", "none")
'''
# How each ends, and what its message says.
ENDS = {
    "pool-passes": (Outcome.PASSED, ""),
    "pool-fails": (Outcome.FAILED, "expected a pool; observed none in the namespace"),
    "pool-asserts": (Outcome.FAILED, "assert 'vllm-gemma' == 'another'"),
    "pool-breaks": (Outcome.BROKEN, "no route to the instrument"),
    "pool-mistaken": (Outcome.BROKEN, "expected: a mirror observed: none next: name one"),
    "pool-skipped": (Outcome.SKIPPED, f"skipped until {TODAY + timedelta(days=1)}: Waits for a driver."),
    "pool-expired": (Outcome.FAILED, "skips.yaml:5:3); next: see whether the issue is solved, and remove the entry"),
    "pool-elsewhere": (Outcome.NOT_SUPPORTED, "need the feature leader-worker-set; have served in v1"),
    "pool-unpromised": (Outcome.NOT_SUPPORTED, "need a profile that promises kiali; have profile frame-gpu does not"),
    "pool-forbidden": (Outcome.NOT_SUPPORTED, "need --allow-disruption=cluster and a profile that pins the cluster"),
    "pool-not-begun": (Outcome.NOT_RUN, "expected a pool to begin with; observed none"),
    "pool-not-set-up": (Outcome.BROKEN, "no route to the pool"),
    "pool-shirks": (Outcome.BROKEN, "the case left itself out: not today; a case is left out by manifests/skips.yaml"),
    "pool-left-behind": (Outcome.BROKEN, "it is still there"),
    "pool-fails-twice": (Outcome.FAILED, "expected a pool; observed none"),
}


@pytest.fixture
def skips(checkout: Checkout) -> str:
    """The option with a file that leaves one case out, and another one no more."""
    entry = {"reason": "Waits for a driver.", "issue": "https://issues.example.com/7"}
    ends = {"pool-skipped": TODAY + timedelta(days=1), "pool-expired": TODAY - timedelta(days=1)}
    path = checkout.path / "skips.yaml"
    rows = [{"case": name, **entry, "expires": str(day)} for name, day in ends.items()]
    path.write_text(yaml.safe_dump(rows, sort_keys=False))
    return f"--skips={path}"


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_every_ending_is_told_apart(checkout: Checkout, fake_cluster: FakeCluster, skips: str, workers: str) -> None:
    checkout.suite("pool", CASES)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", skips, workers)
    assert session.outcomes == {name: outcome for name, (outcome, _) in ENDS.items()}
    messages = {name: case.message for name, case in session.cases.items()}
    assert {name: words for name, (_, words) in ENDS.items() if words not in messages[name]} == {}
    assert session.status == ExitCode.PRODUCT_FAILURE
    assert_counted(session)
    assert_told_in_short(session)
    assert_explained(session)
    assert_left_nothing(session, fake_cluster)


def assert_counted(session: Session) -> None:
    assert (
        "cases executed: 5 gpu; 1 passed, 4 failed, 5 broken, 1 skipped, 3 not supported, 1 not run" in session.output
    )
    assert "- The product broke a promise: 3 core cases failed: pool-fails (gpu), pool-asserts (gpu)" in session.output
    assert "- 1 skip expired, and counts as a failure until it is dealt with: pool-expired (gpu)." in session.output
    assert "verdict: NOT RELEASABLE" in session.output


def assert_told_in_short(session: Session) -> None:
    """pytest's short summary has one line for a failure."""
    lines = [line for line in session.output.splitlines() if line.startswith("FAILED ")]
    shown = next(line for line in lines if "test_fails[" in line)
    assert " - expected a p" in shown, lines


def assert_explained(session: Session) -> None:
    """Everything that a person or a report needs of a case is in the record."""
    passed, failed, mistaken = (session.cases[each] for each in ("pool-passes", "pool-fails", "pool-mistaken"))
    assert passed.measures == (Measure("the answer", 1.5, 2.0, "of several"),)
    assert (passed.level, passed.area, passed.accelerator) == (Level.CORE, "pool", "gpu")
    assert passed.promise == "Everything is as it is promised to be."
    assert passed.seconds > 0
    assert passed.line > 0
    assert failed.details.endswith("probable cause: it was deleted\nnext:           kubectl get pools")
    assert "test_pool.py" not in failed.details + mistaken.details
    assert session.reports is not None
    assert failed.evidence
    assert [
        each for case in session.record.cases for each in case.evidence if not (session.reports / each).is_file()
    ] == []


def assert_left_nothing(session: Session, cluster: FakeCluster) -> None:
    """What the run made on the cluster is gone, and the Lease given back."""
    assert session.record.trouble == ()
    assert session.record.ended_by == "finished"
    assert cluster.names("namespaces") == ["kube-system"]
    assert cluster.names("leases") == []
