"""A run on a cluster that cannot be used ends at once, with every report and a sentence that a person can act on."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.frame.checkout import Checkout, Session, on
from tests.frame.cluster import USER, FakeCluster
from tests.kube_server import CONTEXT
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
@case("pool-first")
def test_first(service):
    """A promise that nobody can look at."""

@case("pool-second", requires=[feature("leader-worker-set")])
def test_second(service):
    """Another promise that nobody can look at."""
'''
REPORTS = ["conformance-report.yaml", "junit.xml", "run.json", "summary.html"]
WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"])


@WORKERS
def test_unreachable(checkout: Checkout, fake_cluster: FakeCluster, workers: str) -> None:
    checkout.suite("pool", CASES)
    options = on(fake_cluster, checkout)
    fake_cluster.close()
    session = timed(checkout, *options, workers)
    assert_told(session, "the existing cluster cannot be had", "refused")
    assert session.record.context == CONTEXT


@WORKERS
def test_without_kserve(checkout: Checkout, make_cluster: Callable[..., FakeCluster], workers: str) -> None:
    checkout.suite("pool", CASES)
    cluster = make_cluster(without="serving.kserve.io")
    session = timed(checkout, *on(cluster, checkout), workers)
    reason = "no service can be deployed: there is no CustomResourceDefinition llminferenceservices.serving.kserve.io"
    assert session.cases["pool-first"].message.startswith(reason)
    assert session.outcomes == {"pool-first": Outcome.NOT_RUN, "pool-second": Outcome.NOT_SUPPORTED}
    assert session.status == ExitCode.INCONCLUSIVE
    assert session.record.trouble == ()
    assert cluster.names("leases") == []


@WORKERS
def test_without_rights(checkout: Checkout, fake_cluster: FakeCluster, workers: str) -> None:
    checkout.suite("pool", CASES)
    fake_cluster.denied = {("create", "namespaces"), ("patch", "namespaces"), ("delete", "gateways"), ("get", "nodes")}
    session = timed(checkout, *on(fake_cluster, checkout), workers)
    assert_told(session, "the existing cluster cannot be had", f"{USER} lacks 3 of them:")
    for line in ("create, patch namespaces", "delete gateways.gateway.networking.k8s.io"):
        assert f"    {line}\n" in session.output
    assert "auth can-i" in session.output
    assert "kind: ClusterRole" in session.output
    assert {method for method, path in fake_cluster.asked if "review" not in path} == {"GET"}


def test_held_by_another_run(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CASES)
    now = datetime.now(UTC).isoformat()
    spec = {"holderIdentity": "run 1124-090000-aa of ann", "leaseDurationSeconds": 30, "renewTime": now}
    lease = {"metadata": {"name": "llmisvc-conformance", "namespace": "default", "resourceVersion": "1"}, "spec": spec}
    fake_cluster.add("/apis/coordination.k8s.io/v1/leases", lease)
    session = timed(checkout, *on(fake_cluster, checkout))
    assert_told(session, "the existing cluster cannot be had", "run 1124-090000-aa of ann has it")
    assert fake_cluster.names("leases") == ["llmisvc-conformance"]
    assert fake_cluster.names("namespaces") == ["kube-system"]


def test_with_a_broken_gateway(checkout: Checkout, make_cluster: Callable[..., FakeCluster]) -> None:
    """The service never becomes Ready: what rests on it has not run, and the run waits no longer than it says."""
    checkout.suite("pool", CASES)
    cluster = make_cluster(lacking="HTTPRoutesReady")
    session = timed(checkout, *on(cluster, checkout), "--timeout=service-ready=0.5")
    assert session.status == ExitCode.INCONCLUSIVE
    assert session.outcomes == {"pool-first": Outcome.NOT_RUN, "pool-second": Outcome.NOT_SUPPORTED}
    assert session.cases["pool-first"].message.startswith("not run, because the service is not Ready: HTTPRoutesReady")
    assert "nothing has come of it yet" in session.cases["pool-first"].message
    assert session.cases["pool-first"].evidence
    assert "Traceback" not in session.output
    assert cluster.names("namespaces") == ["kube-system"]


def timed(checkout: Checkout, *options: str) -> Session:
    started = time.monotonic()
    session = checkout.session("-m", "gpu", *options)
    assert time.monotonic() - started < 60
    return session


def assert_told(session: Session, reason: str, observed: str) -> None:
    assert session.status == ExitCode.INCONCLUSIVE
    assert observed in session.output
    assert "Traceback" not in session.output
    assert session.reports is not None
    assert [name for name in REPORTS if not (session.reports / name).is_file()] == []
    record = session.record
    assert record.ended_by == reason
    assert observed in record.ended_text
    assert session.outcomes == {"pool-first": Outcome.NOT_RUN, "pool-second": Outcome.NOT_RUN}
    assert {each.message for each in record.cases} == {f"the run ended before it: {reason}"}
    assert f"- The run ended early: {reason}" in session.output
    assert "verdict: INCONCLUSIVE" in session.output
