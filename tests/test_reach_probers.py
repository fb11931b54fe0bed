"""Probers and look-alikes on a cluster whose pods take commands, and what they make of a policy that denies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pod_cluster import PodCluster, serving
from tools.features.canary_verdict import Enforcement
from tools.kube.client import Kube
from tools.kube.command import run_in_pod
from tools.kube.errors import KubeError
from tools.kube.llm_service import LlmService, Place
from tools.netpolicy.world import Address, PodEnd
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import Target, What, Who
from tools.reach.enforced import CANARY, enforcement
from tools.reach.lookalike import GATE, lookalikes, refused
from tools.reach.pod_source import PodSource
from tools.reach.probers import Probers

RUN = {"llmisvc-conformance/run": "r1"}
# Open while there is no file of this name beside it; at port 1 always shut.
AGNHOST = """#!/bin/sh
for last; do :; done
case "$last" in *:1) echo REFUSED >&2; exit 1 ;; esac
[ -e "$0.denied" ] && { echo TIMEOUT >&2; exit 1; }
exit 0
"""
LABELS = {"app.kubernetes.io/part-of": "llminferenceservice", "app.kubernetes.io/name": "llm"}
SERVER = LABELS | {"kserve.io/component": "workload"}


@pytest.fixture
def inside(tmp_path: Path) -> PodCluster:
    agnhost = tmp_path / "agnhost"
    agnhost.write_text(AGNHOST)
    agnhost.chmod(0o755)
    made = PodCluster(agnhost)
    made.node("one")
    made.node("two")
    made.objects["namespaces"]["/llm"] = {"metadata": {"name": "llm"}}
    spec = {"nodeName": "one", "containers": []}
    made.pod({"kind": "Pod", "metadata": {"namespace": "llm", "name": "server", "labels": SERVER}, "spec": spec})
    return made


@pytest.fixture
def kube(inside: PodCluster, tmp_path: Path) -> Iterator[Kube]:
    with serving(inside, tmp_path) as found:
        yield found


@pytest.fixture
def llm(kube: Kube) -> LlmService:
    return LlmService(kube, "llm", "llm", Place("llm", "gateway"))


def target(port: int) -> Target:
    return Target(What.SERVER, "192.0.2.1", port, "it", ((Address("192.0.2.1"), port),))


def node_of(pod: dict[str, Any]) -> str:
    affinity = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(affinity["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def test_a_command_in_a_pod_says_what_it_said(kube: Kube) -> None:
    assert run_in_pod(kube, "llm", "server", ["sh", "-c", "echo $POD"]) == "server\n"


def test_a_command_that_fails_or_does_not_end_is_told(kube: Kube) -> None:
    with pytest.raises(KubeError, match="exit status 3: words"):
        run_in_pod(kube, "llm", "server", ["sh", "-c", "echo words >&2; exit 3"])
    with pytest.raises(KubeError, match="has not ended after 0 s"):
        run_in_pod(kube, "llm", "server", ["sleep", "2"], seconds=0.3)


def test_a_pod_asks_all_of_its_targets_by_one_command(inside: PodCluster, kube: Kube) -> None:
    source = PodSource(kube, PodEnd("llm", "server"), "prober")
    assert source.ask([target(1), target(2)], 300) == {target(1): Verdict.REFUSED, target(2): Verdict.ALLOWED}
    assert len(inside.executed) == 1
    assert inside.executed[0]["container"] == ["prober"]


def test_a_pod_that_cannot_be_entered_is_no_denial(tmp_path: Path) -> None:
    with serving(PodCluster(tmp_path), tmp_path) as kube:
        source = PodSource(kube, PodEnd("llm", "server"))
        with pytest.raises(ProbeFailed, match="exit status"):
            source.run("exit 1")
    with pytest.raises(ProbeFailed):
        source.run("true")  # nobody serves any more


def test_probers_are_where_they_belong_and_made_once(inside: PodCluster, llm: LlmService) -> None:
    probers = Probers(llm)
    for _ in range(2):
        probers.make("agnhost@x", RUN)
    found = probers.found()
    assert {who: str(Probers.end(pod)) for who, pod in found.items()} == {
        Who.STRANGER: "llm/prober-stranger",
        Who.OTHER: "llm-other/prober-other",
        Who.FAR: "llm-other/prober-far",
        Who.DEFAULT: "llm-default/prober-default",
        Who.MONITORING: "llm-monitoring/prober-monitoring",
    }
    assert {who: node_of(pod) for who, pod in found.items() if who in (Who.OTHER, Who.FAR)} == {
        Who.OTHER: "one",
        Who.FAR: "two",
    }
    assert all(RUN.items() <= pod["metadata"]["labels"].items() for pod in found.values())
    made = [each for name, each in inside.objects["namespaces"].items() if name != "/llm"]
    assert all(each["metadata"]["labels"] == RUN for each in made)


def test_beside_an_audited_service_no_pod_is_made_in_its_namespace(inside: PodCluster, llm: LlmService) -> None:
    Probers(llm, "run-probes").make("agnhost@x", RUN)
    assert {key.partition("/")[0] for key in inside.objects["pods"]} == {
        "llm", "run-probes-other", "run-probes-default", "run-probes-monitoring",
    }  # fmt: skip
    assert [key for key in inside.objects["pods"] if key.startswith("llm/")] == ["llm/server"]
    assert Who.STRANGER not in Probers(llm, "run-probes").found()
    # Another run's are not this one's.
    assert Probers(llm, "other-probes").found() == {}


@pytest.mark.parametrize("spoilt", ["unschedulable", "unready", "windows"])
def test_a_node_that_takes_no_pods_is_no_second_node(inside: PodCluster, llm: LlmService, spoilt: str) -> None:
    other = inside.objects["nodes"]["/two"]
    match spoilt:
        case "unschedulable":
            other["spec"]["unschedulable"] = True
        case "unready":
            other["status"]["conditions"][0]["status"] = "Unknown"
        case _:
            other["metadata"]["labels"]["kubernetes.io/os"] = "windows"
    Probers(llm).make("agnhost@x", RUN)
    assert Who.FAR not in Probers(llm).found()


def following(inside: PodCluster) -> None:
    """An engine that enforces."""
    denied = inside.agnhost.with_name("agnhost.denied")
    if inside.objects["networkpolicies"]:
        denied.touch()
    else:
        denied.unlink(missing_ok=True)


def test_a_policy_that_is_felt_is_enforced(inside: PodCluster, llm: LlmService) -> None:
    Probers(llm).make("agnhost@x", RUN)
    inside.changed = following
    found, why = enforcement(llm.kube, Probers(llm))
    assert found is Enforcement.ENFORCED, why
    assert inside.objects["networkpolicies"] == {}


def test_a_policy_that_is_not_felt_is_not_enforced(inside: PodCluster, llm: LlmService) -> None:
    Probers(llm).make("agnhost@x", RUN)
    found, _ = enforcement(llm.kube, Probers(llm), within=0.2)
    assert found is Enforcement.NOT_ENFORCED
    assert inside.objects["networkpolicies"] == {}


def test_what_was_shut_before_says_nothing(inside: PodCluster, llm: LlmService) -> None:
    Probers(llm).make("agnhost@x", RUN)
    inside.agnhost.with_name("agnhost.denied").touch()
    found, _ = enforcement(llm.kube, Probers(llm))
    assert found is Enforcement.INVALID


def test_without_probers_nothing_is_said(llm: LlmService) -> None:
    found, why = enforcement(llm.kube, Probers(llm))
    assert (found, "no prober" in why) == (Enforcement.INVALID, True)


def test_a_canary_that_cannot_be_made_is_no_verdict(inside: PodCluster, llm: LlmService) -> None:
    Probers(llm).make("agnhost@x", RUN)
    inside.refused.add("NetworkPolicy")
    with pytest.raises(KubeError, match="forbidden"):
        enforcement(llm.kube, Probers(llm))
    assert CANARY not in str(inside.objects["networkpolicies"])


def test_a_look_alike_is_never_ready_on_the_same_node_and_goes_again(inside: PodCluster, llm: LlmService) -> None:
    Probers(llm).make("agnhost@x", RUN)
    prober, server = Probers(llm).found()[Who.OTHER], inside.objects["pods"]["llm/server"]
    with lookalikes(llm.kube, prober, {Who.SERVER: server}) as found:
        pod = inside.objects["pods"]["llm/lookalike-server"]
        assert pod["spec"]["readinessGates"] == [{"conditionType": GATE}]
        assert node_of(pod) == "one"
        assert SERVER.items() | RUN.items() <= pod["metadata"]["labels"].items()
        assert found[Who.SERVER].ask([target(2)], 300) == {target(2): Verdict.ALLOWED}
    assert "llm/lookalike-server" not in inside.objects["pods"]


def test_a_look_alike_that_would_be_sent_requests_is_refused(inside: PodCluster, llm: LlmService) -> None:
    meta = {"namespace": "llm", "name": "hasty"}
    spec = {"publishNotReadyAddresses": True, "selector": LABELS}
    inside.objects["services"]["llm/hasty"] = {"metadata": meta, "spec": spec}
    assert refused(llm.kube, {Who.SERVER: inside.objects["pods"]["llm/server"]}) == {Who.SERVER: "hasty"}
    spec["publishNotReadyAddresses"] = False
    assert refused(llm.kube, {Who.SERVER: inside.objects["pods"]["llm/server"]}) == {}
