"""Certificates and kubeconfigs of the cluster, made by kubeadm."""

import subprocess
from pathlib import Path

import yaml

from tools.cluster.local.policy import account as policy_account
from tools.cluster.local.topology import Topology


def make(topology: Topology, kubeadm: Path) -> Path:
    """Make the whole public-key infrastructure and a kubeconfig for every component.

    Args:
        topology: the cluster.
        kubeadm: the built kubeadm program.

    Returns:
        The directory with `pki/` and `*.conf`; `super-admin.conf` is the administrator's.
    """
    directory = topology.directory / "credentials"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = directory / "kubeadm.yaml"
    config.write_text(yaml.safe_dump_all(_configuration(topology, directory / "pki")))
    common = ["--config", str(config)]
    _run(kubeadm, "init", "phase", "certs", "all", *common)
    _run(kubeadm, "init", "phase", "kubeconfig", "all", *common, "--kubeconfig-dir", str(directory))
    for node in topology.nodes:
        # kubeadm names the kubelet's user after the node in its configuration: one file per node.
        own = directory / node.name
        own.mkdir(exist_ok=True)
        (own / "kubeadm.yaml").write_text(yaml.safe_dump_all(_configuration(topology, directory / "pki", node.name)))
        phase = ["init", "phase", "kubeconfig", "kubelet"]
        _run(kubeadm, *phase, "--config", str(own / "kubeadm.yaml"), "--kubeconfig-dir", str(own))
    for client, file in (("system:kube-proxy", "kube-proxy.conf"), (policy_account.USER, policy_account.KUBECONFIG)):
        (directory / file).write_text(_run(kubeadm, "kubeconfig", "user", "--client-name", client, *common))
    topology.kubeconfig.write_bytes((directory / "super-admin.conf").read_bytes())
    topology.kubeconfig.chmod(0o600)
    return directory


def _configuration(topology: Topology, pki: Path, node: str = "") -> list[dict[str, object]]:
    control = topology.control
    cluster: dict[str, object] = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "ClusterConfiguration",
        "clusterName": topology.name,
        "certificatesDir": str(pki),
        "kubernetesVersion": "v1.36.3",  # only chooses defaults; without it kubeadm asks the network
        "controlPlaneEndpoint": f"{control.address}:6443",
        "encryptionAlgorithm": "ECDSA-P256",  # a tenth of the time of RSA
        "networking": {"serviceSubnet": str(topology.plan.services), "podSubnet": str(topology.plan.pods)},
    }
    local: dict[str, object] = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "InitConfiguration",
        "localAPIEndpoint": {"advertiseAddress": str(control.address), "bindPort": 6443},
        "nodeRegistration": {"name": node or control.name, "criSocket": "unix:///run/containerd/containerd.sock"},
    }
    return [cluster, local]


def _run(kubeadm: Path, *arguments: str) -> str:
    command = [str(kubeadm), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
