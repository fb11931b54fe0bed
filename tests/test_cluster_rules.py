"""What a run may do to a cluster."""

import pytest

from tools.cluster.rules import Disruption, Grant, permitted, refuse_floating, refuse_simulators, simulators
from tools.errors import UserError

_DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize("disturbs", list(Disruption))
def test_own_cluster_may_be_disturbed(disturbs: Disruption) -> None:
    assert permitted(disturbs, Grant(owned=True)).ok


@pytest.mark.parametrize(
    ("disturbs", "allowed", "pinned", "ok"),
    [
        (Disruption.NONE, Disruption.NONE, False, True),
        (Disruption.SERVICE, Disruption.NONE, True, False),
        (Disruption.SERVICE, Disruption.SERVICE, False, True),
        (Disruption.SERVICE, Disruption.CLUSTER, False, True),
        (Disruption.CLUSTER, Disruption.SERVICE, True, False),
        (Disruption.CLUSTER, Disruption.CLUSTER, False, False),
        (Disruption.CLUSTER, Disruption.CLUSTER, True, True),
    ],
)
def test_existing_cluster_needs_the_flag_and_for_all_of_it_the_pin(
    disturbs: Disruption, allowed: Disruption, pinned: bool, ok: bool
) -> None:
    assert permitted(disturbs, Grant(owned=False, allowed=allowed, pinned=pinned)).ok is ok


def test_refusal_says_need_and_have() -> None:
    found = permitted(Disruption.CLUSTER, Grant(owned=False, allowed=Disruption.CLUSTER))
    assert str(found) == (
        "need --allow-disruption=cluster and a profile that pins the cluster (`cluster.identity`);"
        " have --allow-disruption=cluster, the cluster is not pinned (an existing cluster)"
    )
    found = permitted(Disruption.SERVICE, Grant(owned=False))
    assert str(found) == "need --allow-disruption=service; have it is not given (an existing cluster)"


def test_simulator_is_found_wherever_it_is() -> None:
    service = {"spec": {"template": {"containers": [{"image": "mirror.example.com/x/simulator:1"}, {"image": "vllm"}]}}}
    local = {"spec": {"template": {"initContainers": [{"image": "localhost/tool:1"}]}}}
    assert simulators([service, local], ["localhost/tool:1"]) == [
        "localhost/tool:1",
        "mirror.example.com/x/simulator:1",
    ]
    with pytest.raises(UserError, match="localhost/tool:1, mirror"):
        refuse_simulators([service, local])


def test_real_images_are_taken() -> None:
    refuse_simulators([{"spec": {"containers": [{"image": "vllm/vllm-openai:v0.16.0"}]}}], ["vllm/vllm-openai:v0.16.0"])


def test_probe_image_by_digest() -> None:
    refuse_floating(f"registry.example.com:5000/probe@{_DIGEST}")
    refuse_floating(f"probe:1.2@{_DIGEST}")


@pytest.mark.parametrize("image", ["probe", "probe:1.2", "probe@sha256:abc", f"@{_DIGEST}", f"a b@{_DIGEST}"])
def test_probe_image_that_can_change(image: str) -> None:
    with pytest.raises(UserError, match="by digest"):
        refuse_floating(image)
