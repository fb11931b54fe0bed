"""What a session is worth: its verdict, and the exit status that says so; nothing but a whole release is 0."""

from tests.frame.checkout import Checkout, on
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

ALL = '''
@case("pool-everything", checks=["route", "pool", "gateway", "open-access", "picker", "accelerator", "no-mesh"])
def test_everything(service):
    """All that a profile without further promises can promise."""
'''
NOTHING = '''
@case("pool-elsewhere", requires=[feature("leader-worker-set")])
def test_elsewhere(service):
    """Only clusters with an addition can do that."""

@case("pool-breaks")
def test_breaks(service):
    """The instrument fails, which says nothing about the product."""
    raise OSError("no route")
'''
STOPPED = '''
@case("pool-fails")
def test_fails(service):
    """The product breaks a promise."""
    check(False, "a pool", "none")

@case("pool-later")
def test_later(service):
    """It would have come next."""
'''


def test_all_promises_kept_on_the_real_thing_is_releasable(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", ALL)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu")
    assert session.status == ExitCode.RELEASABLE
    assert "verdict: RELEASABLE" in session.output
    assert session.record.accelerator_real
    assert session.record.standins == ()


def test_the_same_on_a_local_cluster_is_a_rehearsal(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", ALL)
    checkout.local(fake_cluster)
    session = checkout.session("-m", "gpu", f"--profile={checkout.profile()}")
    assert session.status == ExitCode.REHEARSAL
    assert "A rehearsal, not a release." in session.output
    assert "verdict: REHEARSAL" in session.output
    assert len(session.record.standins) > 5
    assert session.reports is not None
    assert (session.reports / "standins.yaml").is_file()
    assert checkout.notes() == ["cluster up", "cluster down"]


def test_nothing_shown_is_never_green(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", NOTHING)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu")
    assert session.status == ExitCode.INCONCLUSIVE
    assert "cases executed: none; 1 broken, 1 not supported" in session.output
    assert "- No case was executed, so nothing was shown." in session.output


def test_an_empty_selection_is_no_run(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", ALL)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "-k", "nothing", "-n2")
    assert session.status == ExitCode.NOTHING_SELECTED
    assert fake_cluster.asked == []
    assert session.reports is None


def test_a_run_that_stops_at_a_failure_says_so(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", STOPPED)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "--exitfirst", "-n1")
    assert session.status == ExitCode.PRODUCT_FAILURE
    assert session.outcomes == {"pool-fails": Outcome.FAILED, "pool-later": Outcome.NOT_RUN}
    assert session.cases["pool-later"].message == "the run ended before it: stopping after 1 failures"
    assert fake_cluster.names("namespaces") == ["kube-system"]


def test_what_a_user_keeps_is_kept_and_told(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", ALL)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "--cleanup=never")
    kept = f"llmisvc-{session.record.run}-gpu"
    assert sorted(fake_cluster.names("namespaces")) == ["kube-system", kept]
    assert session.record.trouble == (), "it is what the user wanted"
    assert "\nkept by --cleanup never: " in session.output
    assert f"next: llmisvc-conformance cleanup --run {session.record.run} " in session.output
    assert fake_cluster.names("leases") == []
