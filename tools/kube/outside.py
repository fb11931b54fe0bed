"""Servers reached from outside the mesh: NetworkPolicies let in whom they would keep out, so that the mesh decides."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.explain import check
from tools.kube import plaintext
from tools.kube.client import Object
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService
from tools.probe.verdict import Verdict
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

# The server's own, Envoy's admin port, and the agent's, which answers everybody.
PORTS = (8000, 15000, 15020)
AGENT, HEALTH = 15020, "/healthz/ready"


@contextmanager
def admitted(service: LlmService, name: str) -> Iterator[None]:
    """Everybody may connect to the servers' ports while entered, as far as NetworkPolicies go.

    Without policies nothing is made: the first one would isolate what was open.

    Args:
        service: whose servers.
        name: of the policy; one that nobody else uses at the same time.
    """
    kube, namespace = service.kube, service.namespace
    if not kube.objects(NETWORK_POLICY, namespace):
        yield
        return
    title = f"{service.name}-{name}"
    servers = {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}
    document: Object = {
        "apiVersion": NETWORK_POLICY.api,
        "kind": NETWORK_POLICY.kind,
        "metadata": {"name": title, "namespace": namespace, "labels": made_for(kube.get(NAMESPACE, namespace), name)},
        "spec": {
            "podSelector": {"matchLabels": servers},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": each} for each in PORTS]}],
        },
    }
    try:
        kube.apply(document)
        eventually(
            "servers to be reached from outside", lambda: _reached(service), budget=seconds("fault-effect"), in_a_row=1
        )
        yield
    finally:
        kube.delete(NETWORK_POLICY, title, namespace)


def _reached(service: LlmService) -> None:
    for pod in service.servers():
        found = plaintext.ask(service.kube, pod, AGENT, HEALTH)
        told = f"{pod['metadata']['name']}:{AGENT} {found.summary}"
        # Of a pod without a sidecar nobody listens there, and says so.
        check(found.verdict in (Verdict.HTTP, Verdict.REFUSED), "an answer of Istio's agent", told)
