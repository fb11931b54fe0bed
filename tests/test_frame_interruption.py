"""A run that is ended from outside undoes what it made and writes every report; what it cannot undo it tells."""

import os
import re
import signal
import time
from subprocess import Popen

import pytest

from tests.frame.checkout import Checkout, on
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
@case("pool-before")
def test_before(service):
    """It has ended by the time of the interruption."""

@case("pool-long")
def test_long(service):
    """It is interrupted in the middle."""
    note("in the middle")
    time.sleep({seconds})

@case("pool-after")
def test_after(service):
    """It would have come after the long one."""
'''
# A worker goes on with its case; the process that the user started is awakened.
LONG = CASES.format(seconds='2.5 if "PYTEST_XDIST_WORKER" in os.environ else 60')
REPORTS = ["conformance-report.yaml", "junit.xml", "run.json", "summary.html"]


@pytest.mark.parametrize(
    ("how", "workers"),
    [(signal.SIGINT, "-n0"), (signal.SIGTERM, "-n0"), (signal.SIGINT, "-n2")],
    ids=["ctrl-c", "term", "ctrl-c, workers"],
)
def test_an_interrupted_run(checkout: Checkout, fake_cluster: FakeCluster, how: signal.Signals, workers: str) -> None:
    checkout.suite("pool", LONG)
    process = checkout.start(*on(fake_cluster, checkout), "-m", "gpu", workers)
    await_note(checkout, process)
    # A shell sends Ctrl-C to every process of the command; `kill` is for the one that the user started.
    (os.killpg if how is signal.SIGINT else os.kill)(process.pid, how)
    session = checkout.end(process)
    assert session.status == ExitCode.INTERRUPTED
    assert session.reports is not None
    assert [name for name in REPORTS if not (session.reports / name).is_file()] == []
    assert session.record.ended_by == "it was interrupted"
    assert session.outcomes["pool-before"] in (Outcome.PASSED, Outcome.NOT_RUN)
    assert session.outcomes["pool-long"] is Outcome.NOT_RUN
    assert re.fullmatch(
        "the run ended (before it|while it ran): it was interrupted", session.cases["pool-long"].message
    )
    assert "Traceback" not in session.output
    assert fake_cluster.names("namespaces") == ["kube-system"]
    assert fake_cluster.names("leases") == []
    assert session.record.trouble == ()


DOWN = '''
from tools.kube.kinds import POD

@case("pool-last-seen")
def test_last_seen(service):
    """The API server is out of order from here on."""
    note(service.namespace)
    service.kube.find(POD, "the-last-straw", service.namespace)
'''


def test_what_cannot_be_removed_is_told_with_the_command_that_does(
    checkout: Checkout, fake_cluster: FakeCluster
) -> None:
    checkout.suite("pool", DOWN)
    fake_cluster.fails = "the-last-straw"
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu")
    assert session.outcomes == {"pool-last-seen": Outcome.BROKEN}
    (trouble,) = [line for line in session.record.trouble if "could not be removed" in line]
    assert "503" in trouble
    assert f"next: llmisvc-conformance cleanup --run {session.record.run} --context test --kubeconfig " in trouble
    assert f"trouble: {trouble}" in session.output
    assert checkout.notes()[0] in fake_cluster.names("namespaces")
    assert session.status == ExitCode.INCONCLUSIVE


LOST = """

class Lease:
    @property
    def lost(self):
        from pathlib import Path

        return "run 1124-090000-aa of ann has it" if Path("state", "notes").exists() else ""


def pytest_sessionstart(session):
    from fixtures.tenure import Tenure

    session.config.pluginmanager.register(Tenure(session, Lease()))
"""


def test_a_run_whose_cluster_is_taken_ends(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CASES.format(seconds=0))
    conftest = checkout.path / "conftest.py"
    conftest.write_text(conftest.read_text() + LOST)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu")
    assert session.record.ended_by == "the cluster was lost: run 1124-090000-aa of ann has it"
    assert session.outcomes["pool-after"] is Outcome.NOT_RUN
    assert session.cases["pool-after"].message == f"the run ended before it: {session.record.ended_by}"
    assert session.status != ExitCode.RELEASABLE
    assert "verdict: INCONCLUSIVE" in session.output


def await_note(checkout: Checkout, process: "Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while not checkout.notes():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"it never began: {checkout.end(process).output}")
        time.sleep(0.02)
