"""Which stand-ins the local cluster puts in, by the component or image that is one.

`up` starts and loads nothing that is neither named here nor the real thing (tests/live compares with what runs), and
every stand-in that is named here is told of in manifests/stack/standins.yaml (tests/test_substitutions.py).
"""

# Programs that a machine's init runs, as the real thing.
REAL_COMPONENTS = frozenset(
    {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "containerd", "kubelet", "kube-proxy"}
)
# Programs that a machine's init runs, in place of something.
COMPONENTS = {"etcd": "etcd-no-fsync", "load-balancer": "load-balancer", "device-plugin": "accelerators",
              "model-hub": "model-hub", "outside": "outside", "policy-agent": "network-policy"}  # fmt: skip
# Images of the stack by their short name. All are built here; these are also something other than their name says.
IMAGES = {
    "simulator": "model-server",
    "epp": "endpoint-picker",
    "proxyv2": "envoy-upstream",
    "tokenizer": "tokenizer",
    "coredns": "cluster-dns",
    "pause": "sandbox",
    "storage-initializer": "storage-initializer",
    "prometheus": "prometheus",
}
REAL_IMAGES = frozenset({"pilot", "llmisvc", "agnhost"})
# What is not a program: how nodes, network, certificates and the service under test are made.
WAYS = frozenset(
    {
        "built-images",
        "certificates",
        "nodes",
        "one-chip-node",
        "pod-network",
        "scheduler-preset",
        "secrets",
    }
)


def in_use() -> frozenset[str]:
    """Ids of all stand-ins of the local cluster."""
    return frozenset({*COMPONENTS.values(), *IMAGES.values(), *WAYS})
