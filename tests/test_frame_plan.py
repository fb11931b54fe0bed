"""`--plan` tells what would run, be made and be left out, and why; it touches nothing."""

import pytest
import yaml

from tests.frame.checkout import Checkout, Session, on
from tests.frame.cluster import FakeCluster

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
@case("pool-selects")
def test_selects(service, client):
    """A promise that requests are sent for."""

@case("pool-elsewhere", requires=[feature("leader-worker-set")], level="extended")
def test_elsewhere(service):
    """Only clusters with an addition can do that."""

@case("pool-unpromised", requires=[claimed("kiali")])
def test_unpromised(service):
    """Only some releases promise that."""

@case("pool-disturbed", requires=[DISRUPT_CLUSTER])
def test_disturbed(service):
    """Only some clusters may be disturbed for it."""
'''


PLAN = """\
cluster: existing, context test; deploy
profile for gpu: frame-gpu (route, pool, gateway, open-access, picker, accelerator, no-mesh)
profile for tpu: frame-tpu (route, pool, gateway, open-access, picker, accelerator, no-mesh)
rights: asked of the cluster when the run begins; here they are taken for granted

would be made:
  for gpu: namespace llmisvc-RUN-gpu with LLMInferenceService vllm-gemma (a/model), its own Gateway, an account that\
 reads metrics
  for tpu: namespace llmisvc-RUN-tpu with LLMInferenceService vllm-qwen (a/model), its own Gateway, an account that\
 reads metrics
  a Lease; all of it is removed at the end (--cleanup always)

would run: 2 gpu, 1 tpu (cases)
  gpu  core      pool-selects
  gpu  extended  pool-elsewhere  if it may or has: the feature leader-worker-set
  gpu  core      pool-unpromised  NOT SUPPORTED: need a profile that promises kiali; have profile frame-gpu does not
  gpu  core      pool-disturbed  NOT SUPPORTED: need --allow-disruption=cluster and a profile that pins the cluster\
 (`cluster.identity`); have it is not given, the cluster is not pinned (an existing cluster)
  tpu  core      pool-selects  SKIPPED: skipped until 2999-12-31: It waits. (https://example.com/1; skips.yaml:1:3)
  tpu  extended  pool-elsewhere  if it may or has: the feature leader-worker-set
  tpu  core      pool-unpromised  NOT SUPPORTED: need a profile that promises kiali; have profile frame-tpu does not
  tpu  core      pool-disturbed  NOT SUPPORTED: need --allow-disruption=cluster and a profile that pins the cluster\
 (`cluster.identity`); have it is not given, the cluster is not pinned (an existing cluster)

nothing was touched
"""


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_all_is_told_and_nothing_is_touched(checkout: Checkout, fake_cluster: FakeCluster, workers: str) -> None:
    checkout.suite("pool", CASES)
    skips = checkout.path / "skips.yaml"
    entry = {"case": "pool-selects", "accelerator": "tpu", "reason": "It waits.", "issue": "https://example.com/1"}
    skips.write_text(yaml.safe_dump([entry | {"expires": "2999-12-31"}], sort_keys=False))
    options = on(fake_cluster, checkout, checkout.profile("gpu"), checkout.profile("tpu"))
    session = checkout.session(*options, "-m", "gpu or tpu", "--plan", f"--skips={skips}", workers)
    assert PLAN in session.output
    assert_untouched(session, checkout, fake_cluster)


def test_proofs_are_told_by_their_faults(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("pool", CASES)
    options = [*on(fake_cluster, checkout), "--allow-disruption=service", "--prove", "--plan"]
    session = checkout.session(*options, "-m", "gpu", "-k", "selects")
    assert "would run: 1 gpu (proofs)\n  gpu  core      pool-selects by harmless\n" in session.output
    assert_untouched(session, checkout, fake_cluster)


def assert_untouched(session: Session, checkout: Checkout, cluster: FakeCluster) -> None:
    assert session.status == 0
    assert cluster.asked == []
    assert not (checkout.path / "reports").exists()
    assert checkout.notes() == []
