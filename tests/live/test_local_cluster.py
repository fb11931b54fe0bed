"""What the local cluster promises, seen from inside and from the host."""

import json
import socket
import subprocess
import time

import httpx
from pyroute2 import IPRoute

from tests.live.calls import calls_of
from tests.live.conftest import Start
from tools.cluster.local import bring_up, status, substitutions
from tools.cluster.local.addresses import METADATA
from tools.cluster.local.topology import Topology
from tools.install.commands import Commands
from tools.stack import Stack

_AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63"
_EITHER_NODE = [{"operator": "Exists", "effect": "NoSchedule"}]


def test_nodes_offer_accelerators_as_gke_nodes_do(stack: Stack, start_bare: Start) -> None:
    topology = start_bare("nodes")
    commands = bring_up.kube_commands(topology, stack)
    for accelerator, label, value in (
        ("nvidia.com/gpu", "cloud.google.com/gke-accelerator", "nvidia-tesla-t4"),
        ("google.com/tpu", "cloud.google.com/gke-tpu-topology", "2x2"),
    ):
        node = commands.get("nodes", "--selector", f"{label}={value}")["items"][0]
        key = accelerator.replace(".", "\\.")
        commands.wait(f"jsonpath={{.status.allocatable.{key}}}=4", f"node/{node['metadata']['name']}", seconds=30)
        assert {"key": accelerator, "value": "present", "effect": "NoSchedule"} in node["spec"]["taints"]
    with calls_of(topology.host_link) as calls:
        _a_pod_reaches_the_cluster_but_not_the_host(commands, str(topology.plan.host.ip))
        _what_is_outside_is_in_the_fabric(commands, topology)
    assert calls == []
    _a_load_balancer_answers_the_host(commands)
    started = {name for machine in bring_up.running(topology).values() for name in machine.components()}
    assert started == {*substitutions.REAL_COMPONENTS, *substitutions.COMPONENTS}
    assert status.look(topology.name).well


def test_two_clusters_side_by_side_have_nothing_in_common(stack: Stack, start_bare: Start) -> None:
    first, second = start_bare("one"), start_bare("two")
    assert not first.plan.block.overlaps(second.plan.block)
    assert not first.plan.load_balancers.overlaps(second.plan.load_balancers)
    names = []
    for topology in (first, second):
        commands = bring_up.kube_commands(topology, stack)
        commands.kube("create", "namespace", f"only-{topology.plan.block.network_address.packed[1]}")
        names.append({item["metadata"]["name"] for item in commands.get("namespaces")["items"]})
        assert status.look(topology.name).well
    assert len(names[0] ^ names[1]) == 2


def _a_pod_reaches_the_cluster_but_not_the_host(commands: Commands, host: str) -> None:
    commands.wait("create", "serviceaccount/default", seconds=30)  # a new namespace's, made by the controllers
    _pod(commands, "client", "pause")
    commands.wait("condition=Ready", "pod/client", seconds=60)
    commands.wait("condition=Available", "deployment/coredns", "--namespace=kube-system", seconds=60)
    assert (
        _connect(commands, "kubernetes.default.svc.cluster.local:443") == "ALLOWED"
    )  # names and other pods' ways work
    with socket.create_server(("0.0.0.0", 0)) as listening:
        port = listening.getsockname()[1]
        for address in {host, *_addresses_of_the_host()}:
            socket.create_connection((address, port), timeout=2).close()  # the instrument: it does listen there
            assert _connect(commands, f"{address}:{port}") in {"OTHER", "REFUSED"}, address  # no route, or prohibited


def _what_is_outside_is_in_the_fabric(commands: Commands, topology: Topology) -> None:
    plan = topology.plan
    assert _connect(commands, f"{plan.internet}:443") == "ALLOWED"
    assert _connect(commands, f"{METADATA}:80") == "ALLOWED"
    assert _connect(commands, f"{plan.silent}:443") == "TIMEOUT"
    for real in ("8.8.8.8:53", "203.0.113.200:443", "169.254.169.253:80"):
        assert _connect(commands, real) in {"OTHER", "TIMEOUT"}, real  # no way there


def _addresses_of_the_host() -> set[str]:
    with IPRoute() as ip:
        found = {each.get_attr("IFA_ADDRESS") for each in ip.get_addr(family=socket.AF_INET)}
    return {address for address in found if not address.startswith("127.")}


def _a_load_balancer_answers_the_host(commands: Commands) -> None:
    _pod(commands, "server", "netexec", "--http-port=8080")
    commands.kube("expose", "pod/server", "--type=LoadBalancer", "--port=80", "--target-port=8080")
    commands.wait("jsonpath={.status.loadBalancer.ingress[0].ip}", "service/server", seconds=30)
    commands.wait("condition=Ready", "pod/server", seconds=60)
    address = commands.get("service/server")["status"]["loadBalancer"]["ingress"][0]["ip"]
    slices = ("--selector=kubernetes.io/service-name=server", "endpointslices")
    commands.wait("jsonpath={.endpoints[0].conditions.ready}=true", *slices, seconds=30)
    _until_kube_proxy_knows(address)
    with httpx.Client(trust_env=False, timeout=5) as client:
        assert [client.get(f"http://{address}/hostname").text for _ in range(5)] == ["server"] * 5


def _until_kube_proxy_knows(address: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection((address, 80), timeout=2).close()
        except OSError:
            assert time.monotonic() < deadline, f"{address}:80 is not served 10 s after its endpoint was ready"
            time.sleep(0.1)  # kube-proxy has no way to tell


def _connect(commands: Commands, target: str) -> str:
    kubectl = [str(commands.kubectl), f"--kubeconfig={commands.kubeconfig}", "exec", "client", "--"]
    done = subprocess.run([*kubectl, "/agnhost", "connect", "--timeout=2s", target], capture_output=True, text=True)
    return "ALLOWED" if done.returncode == 0 else done.stderr.split()[0].strip(":")


def _pod(commands: Commands, name: str, *arguments: str) -> None:
    overrides = {"spec": {"tolerations": _EITHER_NODE}}
    options = [f"--image={_AGNHOST}", "--image-pull-policy=IfNotPresent", f"--overrides={json.dumps(overrides)}"]
    commands.kube("run", name, *options, f"--labels=app={name}", "--", *arguments)
