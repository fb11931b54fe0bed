"""A component of the cluster that died is told as such: no case's failure is then the product's."""

from tests.frame.checkout import Checkout
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
from tests.frame import local

@case("pool-before")
def test_before(service):
    """The cluster is well, so that this is the product's fault."""
    check(False, "a pool", "none")

@case("pool-called")
def test_called(service):
    """A component dies while it looks."""
    local.kill()
    check(False, "HTTP 200", "HTTP 503")

@pytest.fixture
def ready(service):
    pytest.fail("the service is not Ready", pytrace=False)

@case("pool-set-up")
def test_set_up(ready):
    """What it rests on has gone with the component."""

@case("pool-passing")
def test_passing(service):
    """What can still be seen kept is kept."""
'''


def test_what_fails_beside_a_dead_component_is_broken(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CASES)
    checkout.local(fake_cluster)
    session = checkout.session("-m", "gpu", f"--profile={checkout.profile()}")
    assert session.outcomes == {
        "pool-before": Outcome.FAILED,
        "pool-called": Outcome.BROKEN,
        "pool-set-up": Outcome.BROKEN,
        "pool-passing": Outcome.PASSED,
    }
    details = session.cases["pool-called"].details
    assert details.startswith("etcd on control died (signal 9); its log, state/logs/etcd.log, ends:\n    out of space")
    assert "what was seen then: Violation:" in details
    assert "observed:       HTTP 503" in details
    assert session.status == ExitCode.PRODUCT_FAILURE
    assert "`llmisvc-conformance up` first, then the same command" in session.output
    assert session.cases["pool-before"].evidence
    assert not session.cases["pool-called"].evidence, "a dead API server is not asked"
    assert session.reports is not None
    assert (session.reports / "cluster-logs" / "etcd.log").read_text() == "out of space\n"
    assert checkout.notes() == ["cluster up", "cluster down"]
