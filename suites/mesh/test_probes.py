"""The kubelet is not in the mesh either: its probes have to get past the sidecar."""

import pytest

from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import hardening as faults
from tools.faults import workload
from tools.kube import pods
from tools.kube.llm_service import LlmService
from tools.mesh import probes


@pytest.mark.conformance(
    name="mesh-probes-pass-the-sidecar",
    level="core",
    requires=[claimed("sidecars")],
    fault=[
        faults.probes_not_rewritten.shows("port 8000", "not Istio's agent", "rewriteAppHTTPProbers"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["sidecars"],
)
def test_probes_pass_the_sidecar(service: LlmService) -> None:
    """Probes of servers with a sidecar are led to Istio's agent, so that they work whatever the mesh demands."""
    found = service.servers()
    wrong = [f"{pod['metadata']['name']}: {line}" for pod in found for line in probes.astray(pod)]
    unready = [pods.line(pod) for pod in found if not pods.is_ready(pod)]
    check(
        not wrong,
        "probes by HTTP that ask Istio's agent (15020, /app-health/…), which asks the server inside the pod",
        bullets(wrong + unready),
        cause="an annotation (sidecar.istio.io/rewriteAppHTTPProbers) or the mesh's settings switch that off: under"
        " STRICT the kubelet is refused, and the server is never ready, or is ended again and again",
        next_step=service.kubectl("describe", "pod", found[0]["metadata"]["name"]),
    )
