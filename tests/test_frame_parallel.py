"""Cases in workers: services of their own, what needs the cluster alone last and alone, and a worker that dies."""

import re

from tests.frame.checkout import Checkout, on
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

SHARED = '''
from pathlib import Path

def meets(mine, other):
    """Wait until the other case runs beside this one."""
    Path("state").mkdir(exist_ok=True)
    Path("state", mine).touch()
    deadline = time.monotonic() + 20
    while not Path("state", other).exists():
        check(time.monotonic() < deadline, f"{other} beside {mine}", "it did not come")
        time.sleep(0.01)

def noted(name):
    note(f"{name} begins")
    time.sleep(0.05)
    note(f"{name} ends")

@pytest.mark.performance
@case("pool-measured")
def test_measured(service):
    """It measures, and wants no company."""
    noted("measured")

@pytest.mark.disruptive
@case("pool-disturbed")
def test_disturbed(service):
    """It disturbs, and wants no company."""
    noted("disturbed")

@case("pool-first")
def test_first(service, run):
    """It runs beside the second."""
    meets("first", "second")
    note(f"first in {service.namespace.removeprefix(f'llmisvc-{run.id}-')}")

@case("pool-second")
def test_second(service, run):
    """It runs beside the first."""
    meets("second", "first")
    note(f"second in {service.namespace.removeprefix(f'llmisvc-{run.id}-')}")
'''
CRASH = '''
@case("pool-first")
def test_first(service):
    """It runs in one worker."""

@case("pool-crash")
def test_crash(service):
    """It takes its worker with it."""
    os._exit(3)

@case("pool-third")
def test_third(service):
    """It runs in the worker that is left."""

@case("pool-fourth")
def test_fourth(service):
    """It runs there as well."""
'''


def test_what_needs_the_cluster_alone_is_last_and_alone(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", SHARED)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "-n2")
    assert set(session.outcomes.values()) == {Outcome.PASSED}
    notes = checkout.notes()
    assert {each.rpartition("-")[0] for each in notes[:2]} == {"first in gpu", "second in gpu"}
    assert {each.rpartition("-")[2] for each in notes[:2]} == {"gw0", "gw1"}
    alone = [["measured begins", "measured ends"], ["disturbed begins", "disturbed ends"]]
    assert [notes[2:4], notes[4:]] in (alone, alone[::-1])
    assert fake_cluster.names("namespaces") == ["kube-system"]
    assert fake_cluster.names("leases") == []


def test_a_worker_that_dies_breaks_its_case_alone(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CRASH)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "-n2")
    crashed = session.cases["pool-crash"]
    assert crashed.outcome is Outcome.BROKEN
    assert re.fullmatch(r"worker 'gw\d' crashed while running '.*::test_crash\[gpu]'", crashed.message)
    assert session.outcomes["pool-first"] is Outcome.PASSED
    assert re.fullmatch(r"worker gw\d died", session.record.ended_by)
    left = [each for each in session.record.cases if each.outcome is Outcome.NOT_RUN]
    assert {each.message for each in left} <= {f"the run ended before it: {session.record.ended_by}"}
    assert session.status == ExitCode.INCONCLUSIVE
    # The services of the dead worker, too.
    assert fake_cluster.names("namespaces") == ["kube-system"]
    assert session.record.trouble == ()
