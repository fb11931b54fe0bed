"""Whole sessions on a cluster that is kept for them, given as the local one and as an existing one.

In this order, because a session that disturbs comes after those that only look.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.live import audit_log, sessions
from tests.live.limited_user import limited_kubeconfig
from tools.cluster.local.provider import Keep, LocalProvider
from tools.cluster.provider import ClusterAccess
from tools.kube.client import Kube
from tools.kube.kinds import LEASE, NAMESPACE
from tools.kube.labels import RUN
from tools.outcomes import Outcome
from tools.paths import CHECKOUT
from tools.report.exit_codes import ExitCode
from tools.report.record import RunRecord

# Istio's, of the version that the stack pins: manifests/known-issues.yaml.
KNOWN_HERE = {"route-services-stay-apart"}
# Upstream builds of Envoy do not count Istio's standard metrics; nothing shows or traces services on the local cluster.
LACKED_HERE = {
    "metrics-istio-counts-requests",
    "prometheus-istio-alerts-can-fire",
    "kiali-shows-the-service",
    "jaeger-has-traces",
}
# Another part every day; all of them take longer than one run of CI may.
PARTS = 60
PLANTED = "planted-9d1c2f7ab05e"


@pytest.fixture(scope="module")
def access() -> Iterator[ClusterAccess]:
    """A local cluster of this checkout; one that a person keeps stays."""
    provider = LocalProvider(keep=Keep.UNTIL_DOWN)
    found = provider.up()
    yield found
    if provider.started:
        provider.down()


@pytest.fixture(scope="module")
def existing(access: ClusterAccess) -> list[str]:
    """Options that name it as an existing cluster."""
    return [
        "--cluster=existing",
        f"--context={access.context}",
        f"--kubeconfig={access.kubeconfig}",
        "--profile=local-gpu",
    ]


@pytest.fixture(scope="module")
def target(existing: list[str]) -> Iterator[str]:
    """A deployed service, kept by the session that deployed it, and removed by the command that this session named."""
    done = sessions.run("-m", "gpu", *existing, "--cleanup=never", "-k", "becomes_ready", seconds=200)
    assert done.status == ExitCode.REHEARSAL, done.output
    run = done.record.run
    assert f"llmisvc-conformance cleanup --run {run}" in done.output
    yield f"llmisvc-{run}-gpu/vllm-gemma"
    words = ["cleanup", "--run", run, *existing[1:3]]
    cleaned = subprocess.run([sessions.PROGRAM, *words], capture_output=True, text=True, check=False)
    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr


def test_all_cases_for_gpus_in_parallel(access: ClusterAccess, capsys: pytest.CaptureFixture[str]) -> None:
    record = _all_well(access, capsys, "-n", "2", "-m", "gpu")
    canary = next(each for each in record.features if each.name == "network-policy-enforcement")
    assert canary.present is True, canary.have


def test_cases_that_tpus_change(access: ClusterAccess, capsys: pytest.CaptureFixture[str]) -> None:
    _all_well(access, capsys, "-n", "2", "-m", "tpu", "-k", "accelerator- or server- or metrics-")


def _all_well(access: ClusterAccess, capsys: pytest.CaptureFixture[str], *options: str) -> RunRecord:
    done = sessions.run(*options, seconds=1200)
    with capsys.disabled():
        print(f"\n{done.end}")
    assert done.status == ExitCode.REHEARSAL, done.output
    record = done.record
    ended = {outcome: {each.name for each in record.cases if each.outcome is outcome} for outcome in Outcome}
    assert ended.pop(Outcome.KNOWN_ISSUE) <= KNOWN_HERE
    assert ended.pop(Outcome.NOT_SUPPORTED) <= LACKED_HERE
    assert {outcome for outcome, names in ended.items() if names} == {Outcome.PASSED}
    assert record.trouble == ()
    assert len(record.standins) > 10
    assert _left(access, record.run) == []
    return record


def test_a_part_of_the_proofs(access: ClusterAccess, capsys: pytest.CaptureFixture[str]) -> None:
    part = f"{date.today().timetuple().tm_yday % PARTS}/{PARTS}"
    done = sessions.run("-n", "2", "-m", "gpu", "--prove", f"--prove-part={part}", seconds=900)
    with capsys.disabled():
        print(f"\npart {part}\n{done.end}")
    assert done.status == ExitCode.REHEARSAL, done.output
    assert done.directory is not None
    found = json.loads((done.directory / "prove.json").read_text())
    assert found["proven"] == found["selected"] > 0
    assert _left(access, done.record.run) == []


def test_audit_changes_nothing(access: ClusterAccess, existing: list[str], target: str) -> None:
    before = _everything(access, target)
    done = sessions.run("-m", "gpu", *existing, f"--target={target}", "--read-only", seconds=100)
    assert {each.outcome for each in done.record.cases} == {Outcome.PASSED, Outcome.NOT_SUPPORTED}, done.output
    assert "need --traffic" in done.output
    assert _everything(access, target) == before
    # Half a minute of it is the API server's, which waits for a port that the service's policies shut to it.
    with_traffic = sessions.run("-m", "gpu", *existing, f"--target={target}", "--read-only", "--traffic", seconds=200)
    ended = {each.name: each.outcome for each in with_traffic.record.cases}
    assert ended["metrics-tokens-are-counted"] is Outcome.PASSED, "its counters stood still, so they are exact"
    assert ended["picker-picks-every-request"] is Outcome.NOT_SUPPORTED
    assert _everything(access, target) == before


def test_audit_asks_for_no_write_and_every_change_has_another_writer(
    access: ClusterAccess, existing: list[str], target: str
) -> None:
    kube = Kube(access.kubeconfig, access.context)
    user, log = _user(kube), audit_log.log_of(access.name)
    namespace, _, name = target.partition("/")
    deployed = [each for each in audit_log.writes(log) if each.user == user and each.key[1:] == (namespace, name)]
    assert deployed, "the log has what this user wrote when the service was deployed"
    # In this order: what changes while the versions are read is after the beginning, too.
    began, before = audit_log.now(), audit_log.versions(kube)
    done = sessions.run("-m", "gpu", *existing, f"--target={target}", "--read-only", seconds=100)
    assert {each.outcome for each in done.record.cases} <= {Outcome.PASSED, Outcome.NOT_SUPPORTED}, done.output
    after, found = audit_log.versions(kube), audit_log.writes(log, began)
    assert [str(each) for each in found if each.user == user] == []
    assert audit_log.unexplained(before, after, found) == []


def test_user_of_one_namespace(access: ClusterAccess, target: str, tmp_path: Path) -> None:
    limited = limited_kubeconfig(access, target.partition("/")[0], tmp_path)
    options = ["--cluster=existing", "--context=limited", f"--kubeconfig={limited}", "--profile=local-gpu"]
    audit = sessions.run("-m", "gpu", *options, f"--target={target}", "--read-only", seconds=100)
    ended = {each.name: each for each in audit.record.cases}
    assert ended["pool-selects-exactly-the-servers"].outcome is Outcome.PASSED, audit.output
    assert ended["accelerator-is-asked-for"].outcome is Outcome.NOT_SUPPORTED
    assert "nodes" in ended["accelerator-is-asked-for"].message
    refused = sessions.run("-m", "gpu", *options, seconds=100)
    assert refused.status == ExitCode.INCONCLUSIVE, refused.output
    assert "get, list, watch, create, patch, delete namespaces" in refused.output
    assert "kind: ClusterRole" in refused.output
    assert "Traceback" not in audit.output + refused.output
    assert {each.outcome for each in refused.record.cases} == {Outcome.NOT_RUN}


def test_second_run_is_told_who_has_the_cluster(access: ClusterAccess, existing: list[str]) -> None:
    first = subprocess.Popen(sessions.command("-m", "gpu", *existing), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        _until_leased(access)
        second = sessions.run("-m", "gpu", *existing, seconds=60)
        assert second.status == ExitCode.INCONCLUSIVE, second.output
        assert "has it" in second.output
        first.send_signal(signal.SIGTERM)
        output, _ = first.communicate(timeout=150)
    finally:
        first.kill()
    assert first.returncode == ExitCode.INTERRUPTED, output
    directory = sessions.directory_of(output)
    assert directory is not None
    ended = sessions.Session(first.returncode, output, directory).record
    assert "interrupted" in ended.ended_by
    assert _left(access, ended.run) == []
    assert Kube(access.kubeconfig, access.context).find(LEASE, "llmisvc-conformance", "default") is None


def test_class_that_is_not_there_ends_with_a_sentence_and_no_secret(
    access: ClusterAccess, existing: list[str], tmp_path: Path
) -> None:
    profile = tmp_path / "broken.yaml"
    local = (CHECKOUT / "manifests/profiles/local-gpu.yaml").read_text()
    profile.write_text(local.replace("class_name: istio", "class_name: no-such-class"))
    assert "no-such-class" in profile.read_text()
    options = [*existing[:3], f"--profile={profile}", "--timeout=service-ready=15", "--token-env=PLANTED"]
    wanted = "becomes_ready or programmed or models or install-gateway-class"
    done = sessions.run("-m", "gpu", *options, "-k", wanted, seconds=120, PLANTED=PLANTED)
    assert done.status == ExitCode.PRODUCT_FAILURE, done.output
    ended = {each.name: each for each in done.record.cases}
    (failed,) = [each for each in ended.values() if each.outcome is Outcome.FAILED]
    assert "no-such-class" in failed.details
    assert failed.evidence, "evidence of a failure is a file"
    for name in ("reconcile-becomes-ready", "server-lists-the-model"):
        assert ended[name].outcome is Outcome.NOT_RUN
        assert "no GatewayClass no-such-class" in ended[name].details
    assert done.directory is not None
    files = [path for path in done.directory.rglob("*") if path.is_file()]
    assert files
    assert [str(path) for path in files if PLANTED.encode() in path.read_bytes()] == []
    assert _left(access, done.record.run) == []


def _left(access: ClusterAccess, run: str) -> list[str]:
    kube = Kube(access.kubeconfig, access.context)
    return [each["metadata"]["name"] for each in kube.objects(NAMESPACE, labels=f"{RUN}={run}")]


def _user(kube: Kube) -> str:
    """Who this kubeconfig is to the API server."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    found = kube.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, body)
    return str(found["status"]["userInfo"]["username"])


def _everything(access: ClusterAccess, target: str) -> dict[str, str]:
    """Versions of what an audit could have changed: the service's namespace, and the namespaces there are."""
    kube = Kube(access.kubeconfig, access.context)
    namespace = target.partition("/")[0]
    found = {each["metadata"]["name"]: "namespace" for each in kube.objects(NAMESPACE)}
    for kind in sessions.KINDS:
        for each in kube.objects(kind, namespace):
            meta = each["metadata"]
            found[f"{kind.kind} {meta['name']}"] = f"{meta['uid']} {meta.get('generation', '')}"
    return found


def _until_leased(access: ClusterAccess) -> None:
    kube = Kube(access.kubeconfig, access.context)
    deadline = time.monotonic() + 30
    while kube.find(LEASE, "llmisvc-conformance", "default") is None:
        assert time.monotonic() < deadline, "the first session has not taken the cluster within 30 s"
        time.sleep(0.2)
