"""Command lines and configuration files of the Kubernetes components: pure, no effects."""

import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.cluster.local.addresses import METADATA
from tools.cluster.local.machine_spec import Component
from tools.cluster.local.outside import INTERNET_PORT, METADATA_PORT
from tools.cluster.local.policy import account as policy_account
from tools.cluster.local.topology import Machine, Topology
from tools.paths import CHECKOUT
from tools.stack.images import MODEL_HUB

AUDIT_POLICY = "audit-policy.yaml"
# Starting a cluster, three services and six audits wrote 6 of these.
_AUDIT_MEGABYTES = 50
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
POLICY_PLUGIN = "network-policy"
# Inside of a node: both end with it.
_POLICY_SOCKET = "/run/network-policy.sock"
_POLICY_ATTACHMENTS = "/var/lib/cni/network-policy"
# Of components that are this project's own Python.
_OURS = {"PYTHONPATH": str(CHECKOUT), "PATH": os.defpath}


@dataclass(frozen=True)
class Programs:
    """Where the built and unpacked programs are.

    Attributes:
        built: directory of the built Go programs.
        environment: PATH and library path for the unpacked Debian programs.
        cni: directory of the CNI plugins.
        pause_image: name of the sandbox image.
    """

    built: Path
    environment: dict[str, str]
    cni: Path
    pause_image: str

    def command(self, program: str, /, **flags: object) -> list[str]:
        """A built program with `--flag=value` for each keyword, underscores becoming dashes."""
        return [
            str(self.built / program),
            *(f"--{flag.replace('_', '-')}={_text(value)}" for flag, value in flags.items()),
        ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def etcd(programs: Programs, credentials: Path) -> Component:
    """The store: without fsync, because the cluster is thrown away."""
    pki = credentials / "pki" / "etcd"
    command = programs.command(
        "etcd", name="control", data_dir="/var/lib/etcd/data", unsafe_no_fsync=True,
        listen_client_urls="https://127.0.0.1:2379", advertise_client_urls="https://127.0.0.1:2379",
        listen_peer_urls="https://127.0.0.1:2380", initial_advertise_peer_urls="https://127.0.0.1:2380",
        initial_cluster="control=https://127.0.0.1:2380", client_cert_auth=True, peer_client_cert_auth=True,
        cert_file=pki / "server.crt", key_file=pki / "server.key", trusted_ca_file=pki / "ca.crt",
        peer_cert_file=pki / "peer.crt", peer_key_file=pki / "peer.key", peer_trusted_ca_file=pki / "ca.crt",
        log_level="warn",
    )  # fmt: skip
    return Component("etcd", command)


def apiserver(topology: Topology, programs: Programs, credentials: Path) -> Component:
    """The API server, reachable by the nodes and by the host."""
    pki = credentials / "pki"
    command = programs.command(
        "kube-apiserver", advertise_address=topology.control.address, secure_port=6443,
        etcd_servers="https://127.0.0.1:2379", etcd_cafile=pki / "etcd/ca.crt",
        etcd_certfile=pki / "apiserver-etcd-client.crt", etcd_keyfile=pki / "apiserver-etcd-client.key",
        client_ca_file=pki / "ca.crt", tls_cert_file=pki / "apiserver.crt", tls_private_key_file=pki / "apiserver.key",
        kubelet_client_certificate=pki / "apiserver-kubelet-client.crt",
        kubelet_client_key=pki / "apiserver-kubelet-client.key", kubelet_preferred_address_types="InternalIP",
        requestheader_client_ca_file=pki / "front-proxy-ca.crt", requestheader_allowed_names="front-proxy-client",
        requestheader_username_headers="X-Remote-User", requestheader_group_headers="X-Remote-Group",
        requestheader_extra_headers_prefix="X-Remote-Extra-",
        proxy_client_cert_file=pki / "front-proxy-client.crt", proxy_client_key_file=pki / "front-proxy-client.key",
        service_account_key_file=pki / "sa.pub", service_account_signing_key_file=pki / "sa.key",
        service_account_issuer="https://kubernetes.default.svc.cluster.local",
        service_cluster_ip_range=topology.plan.services, authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction", allow_privileged=True, profiling=False,
        audit_policy_file=credentials / AUDIT_POLICY, audit_log_path=topology.audit_log,
        audit_log_maxsize=_AUDIT_MEGABYTES, audit_log_maxbackup=1,
    )  # fmt: skip
    return Component("kube-apiserver", command)


def audit_policy() -> str:
    """Which requests the API server writes down: those that write, each once, when it has answered; never a body."""
    policy: dict[str, Any] = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "omitManagedFields": True,
        "rules": [{"level": "None", "verbs": ["get", "list", "watch"]}, {"level": "Metadata"}],
    }
    return yaml.safe_dump(policy)


def controller_manager(topology: Topology, programs: Programs, credentials: Path) -> Component:
    """The controller manager; nodes get their pod ranges from us, so it allocates none."""
    pki, config = credentials / "pki", credentials / "controller-manager.conf"
    command = programs.command(
        "kube-controller-manager", kubeconfig=config, authentication_kubeconfig=config, authorization_kubeconfig=config,
        bind_address="127.0.0.1", client_ca_file=pki / "ca.crt", root_ca_file=pki / "ca.crt",
        cluster_signing_cert_file=pki / "ca.crt", cluster_signing_key_file=pki / "ca.key",
        requestheader_client_ca_file=pki / "front-proxy-ca.crt", service_account_private_key_file=pki / "sa.key",
        use_service_account_credentials=True, controllers="*", leader_elect=False, allocate_node_cidrs=False,
        cluster_name=topology.name, cluster_cidr=topology.plan.pods, service_cluster_ip_range=topology.plan.services,
    )  # fmt: skip
    return Component("kube-controller-manager", command)


def scheduler(programs: Programs, credentials: Path) -> Component:
    """The scheduler."""
    config = credentials / "scheduler.conf"
    command = programs.command(
        "kube-scheduler", kubeconfig=config, authentication_kubeconfig=config, authorization_kubeconfig=config,
        bind_address="127.0.0.1", leader_elect=False,
    )  # fmt: skip
    return Component("kube-scheduler", command)


def containerd(programs: Programs, config: Path) -> Component:
    """The container runtime of a node."""
    return Component("containerd", ["containerd", "--config", str(config), "--log-level", "warn"], programs.environment)


def kubelet(node: Machine, programs: Programs, config: Path, credentials: Path) -> Component:
    """The kubelet of a node, with GKE's labels for its accelerator."""
    assert node.accelerator is not None
    labels = ",".join(f"{key}={value}" for key, value in node.accelerator.labels.items())
    command = programs.command(
        "kubelet", config=config, kubeconfig=credentials / node.name / "kubelet.conf", hostname_override=node.name,
        node_ip=node.address, node_labels=labels,
    )  # fmt: skip
    return Component("kubelet", command, programs.environment)


def kube_proxy(node: Machine, programs: Programs, config: Path) -> Component:
    """The Service proxy of a node."""
    return Component(
        "kube-proxy", programs.command("kube-proxy", config=config, hostname_override=node.name), programs.environment
    )


def device_plugin(node: Machine, programs: Programs) -> Component:
    """Accelerators of a node, offered through the kubelet's own API; there is no device behind them."""
    assert node.accelerator is not None
    command = programs.command("device-plugin", resource=node.accelerator.resource, count=node.accelerator.count)
    return Component("device-plugin", command)


def kubelet_config(topology: Topology, node: Machine, credentials: Path, cgroup: str) -> str:
    """KubeletConfiguration as YAML."""
    assert node.accelerator is not None
    config: dict[str, Any] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(credentials / "pki/ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "clusterDNS": [str(topology.plan.dns)],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # A developer's disk may be fuller than a node's should be; the images cannot be pulled again.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "200Mi", "imagefs.available": "200Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "registerWithTaints": [{"key": node.accelerator.resource, "value": "present", "effect": "NoSchedule"}],
        "resolvConf": "/etc/resolv.conf",
        "rotateCertificates": False,
        # What pods have on disk is measured every one to two minutes by default; who overruns a volume waits for that.
        "volumeStatsAggPeriod": "10s",
    }
    return yaml.safe_dump(config)


def kube_proxy_config(topology: Topology, credentials: Path) -> str:
    """KubeProxyConfiguration as YAML."""
    config: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(credentials / "kube-proxy.conf")},
        "clusterCIDR": str(topology.plan.pods),
        "detectLocalMode": "ClusterCIDR",
        # These are the host's limits: leave them alone.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
    return yaml.safe_dump(config)


def containerd_config(programs: Programs, networks: Path, plugins: Path) -> str:
    """containerd's configuration, version 2 of the format (containerd 1.x), which knows one directory of plugins."""
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{programs.pause_image}"
  # Without CAP_SYS_RESOURCE runc cannot lower oom_score_adj and fails obscurely.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def cni_config(topology: Topology, node: Machine) -> str:
    """CNI configuration: `ptp` routes every packet through the node's forward hook, where policies can see it.

    No masquerading: policies and access logs must see the pods' own addresses. Then a pod waits for its policies.
    """
    ptp = {
        "type": "ptp",
        "mtu": 1500,
        "ipMasq": False,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": str(node.pods)}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    policy = {"type": POLICY_PLUGIN, "socket": _POLICY_SOCKET}
    return json.dumps({"cniVersion": "1.0.0", "name": topology.name, "plugins": [ptp, policy]})


def load_balancer(topology: Topology) -> Component:
    """Addresses for Services of type LoadBalancer; talks to the API server as administrator."""
    arguments = [str(topology.kubeconfig), str(topology.plan.load_balancers)]
    arguments += [str(each) for each in (topology.plan.hub, topology.plan.internet, topology.plan.silent)]
    return Component("load-balancer", [sys.executable, "-m", "tools.cluster.local.load_balancer", *arguments], _OURS)


def policy_agent(topology: Topology, node: Machine, programs: Programs) -> Component:
    """NetworkPolicies of a node; may read what it must know and nothing else."""
    given = {"kubeconfig": topology.directory / "credentials" / policy_account.KUBECONFIG, "node": node.name,
             "context": policy_account.context(topology.name), "pods": node.pods, "socket": _POLICY_SOCKET,
             "attachments": _POLICY_ATTACHMENTS}  # fmt: skip
    # Only for nft: Python keeps the libraries that it was started with.
    nft = ["env", *(f"{key}={value}" for key, value in programs.environment.items()), "nft"]
    command = [sys.executable, "-m", "tools.cluster.local.policy.agent", *(f"--{k}={v}" for k, v in given.items())]
    return Component("policy-agent", [*command, "--", *nft], _OURS)


def policy_plugin() -> str:
    """The CNI plugin as a program: without site packages, because it runs for every pod."""
    plugin = CHECKOUT / "tools/cluster/local/policy/plugin.py"
    return f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(plugin))}\n"


def model_hub(topology: Topology) -> Component:
    """Models to download, served in the fabric; its switches answer the host alone."""
    plan = topology.plan
    arguments = [str(plan.hub), MODEL_HUB, str(plan.fabric_to_host.ip), str(plan.host.ip)]
    return Component("model-hub", [sys.executable, "-m", "tools.hub", *arguments], _OURS)


def outside(topology: Topology) -> Component:
    """What stands for the internet and for a cloud's metadata server, in the fabric."""
    doors = [f"{topology.plan.internet}:{INTERNET_PORT}", f"{METADATA}:{METADATA_PORT}"]
    return Component("outside", [sys.executable, "-m", "tools.cluster.local.outside", *doors], _OURS)
