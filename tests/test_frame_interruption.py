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
    time.sleep(2.5 if "PYTEST_XDIST_WORKER" in os.environ else 60)

@case("pool-after")
def test_after(service):
    """It would have come after the long one."""
'''
REPORTS = ["conformance-report.yaml", "junit.xml", "run.json", "summary.html"]


@pytest.mark.parametrize(
    ("how", "workers"),
    [(signal.SIGINT, "-n0"), (signal.SIGTERM, "-n0"), (signal.SIGINT, "-n2")],
    ids=["ctrl-c", "term", "ctrl-c, workers"],
)
def test_an_interrupted_run(checkout: Checkout, fake_cluster: FakeCluster, how: signal.Signals, workers: str) -> None:
    checkout.suite("pool", CASES)
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


def await_note(checkout: Checkout, process: "Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while not checkout.notes():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"it never began: {checkout.end(process).output}")
        time.sleep(0.02)
