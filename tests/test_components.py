"""Command lines and configuration of the local cluster's components."""

import json
from pathlib import Path

import pytest
import yaml

from tools.cluster.local import components
from tools.cluster.local.addresses import choose
from tools.cluster.local.components import Programs
from tools.cluster.local.policy import account
from tools.cluster.local.topology import Topology


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return Topology("t", "0a1b2c", choose([]), tmp_path)


@pytest.fixture
def programs() -> Programs:
    return Programs(Path("/built"), {"PATH": "/host/bin"}, Path("/host/cni"), "registry.k8s.io/pause:3.10")


def test_the_kubelet_joins_with_its_accelerators_labels_and_taint(topology: Topology, programs: Programs) -> None:
    gpu = topology.nodes[0]
    command = components.kubelet(gpu, programs, Path("/c"), Path("/credentials")).command
    assert "--hostname-override=gpu-node" in command
    assert any("cloud.google.com/gke-accelerator=nvidia-tesla-t4" in part for part in command)
    config = yaml.safe_load(components.kubelet_config(topology, gpu, Path("/credentials"), "llmisvc-200/gpu-node"))
    assert config["registerWithTaints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    assert config["cgroupRoot"] == "/llmisvc-200/gpu-node"


def test_kube_proxy_leaves_the_hosts_connection_tracking_limits_alone(topology: Topology) -> None:
    config = yaml.safe_load(components.kube_proxy_config(topology, Path("/credentials")))
    assert config["conntrack"]["maxPerCore"] == 0
    assert config["conntrack"]["min"] == 0


def test_pods_are_routed_with_their_own_addresses(topology: Topology) -> None:
    plugin, policy = json.loads(components.cni_config(topology, topology.nodes[1]))["plugins"]
    assert plugin["type"] == "ptp"
    assert plugin["ipMasq"] is False
    assert plugin["ipam"]["ranges"] == [[{"subnet": str(topology.nodes[1].pods)}]]
    assert policy["type"] == "network-policy"  # last: it is told the address, and a pod waits for it


def test_the_policy_agent_may_read_what_it_follows_and_nothing_else(topology: Topology, programs: Programs) -> None:
    command = components.policy_agent(topology, topology.nodes[1], programs).command
    assert f"--pods={topology.nodes[1].pods}" in command
    assert f"--context={account.USER}@t" in command
    assert command[-2:] == ["PATH=/host/bin", "nft"]
    role, binding = account.documents()
    assert {(*each["resources"], *each["verbs"]) for each in role["rules"]} == {
        (kind, "list", "watch") for kind in ("networkpolicies", "pods", "namespaces")
    }
    assert binding["subjects"] == [{"kind": "User", "name": account.USER, "apiGroup": "rbac.authorization.k8s.io"}]


def test_flags_are_spelled_as_the_programs_want_them(programs: Programs) -> None:
    assert programs.command("x", leader_elect=False, bind_address="127.0.0.1") == [
        "/built/x",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
    ]


def test_the_api_server_writes_down_who_writes_and_no_bodies(topology: Topology, programs: Programs) -> None:
    command = components.apiserver(topology, programs, Path("/credentials")).command
    assert "--audit-policy-file=/credentials/audit-policy.yaml" in command
    assert f"--audit-log-path={topology.audit_log}" in command
    assert "--audit-log-maxsize=50" in command
    assert "--audit-log-maxbackup=1" in command
    policy = yaml.safe_load(components.audit_policy())
    assert [each["level"] for each in policy["rules"]] == ["None", "Metadata"]
    assert policy["rules"][0]["verbs"] == ["get", "list", "watch"]
