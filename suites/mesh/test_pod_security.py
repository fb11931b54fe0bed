"""What Pod Security admission says of the service's pods."""

import pytest

from tools.cases.capabilities import CONTROLLERS
from tools.explain import bullets, check
from tools.faults import hardening as faults
from tools.faults import workload
from tools.kube.kinds import NAMESPACE
from tools.kube.llm_service import LlmService
from tools.kube.pod_security import ENFORCE, at_least, judged, own
from tools.profile import PodSecurity, Profile


@pytest.mark.conformance(
    name="mesh-pods-pass-pod-security",
    level="core",
    requires=[CONTROLLERS],
    fault=[
        faults.server_unrestricted.shows("allowPrivilegeEscalation != false", "unrestricted capabilities", "NET_RAW"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["pod-security"],
)
def test_pass_pod_security(service: LlmService, profile: Profile, enforcing: str) -> None:
    """A namespace that enforces what the profile promises takes the service's pods, by the API server's own word.

    Where it promises nothing, their own containers are still such that `restricted` takes them.
    """
    promised, wrong = profile.pod_security, []
    claims = promised is not PodSecurity.NONE
    for pod in [*service.servers(), *service.pickers()]:
        looked_at = pod if claims else own(pod)
        wrong += [f"{pod['metadata']['name']}: {line}" for line in judged(service.kube, looked_at, enforcing)]
    if claims and not at_least(service.kube.get(NAMESPACE, service.namespace), promised):
        wrong.append(f"namespace {service.namespace} does not enforce it: it has no label {ENFORCE}={promised}")
    whole = "whole pods" if claims else "the pods' own containers (Istio's and KServe's additions not counted)"
    check(
        not wrong,
        f"a namespace with {ENFORCE}={promised if claims else PodSecurity.RESTRICTED} to take {whole}",
        bullets(wrong),
        cause="the template has a securityContext of its own in place of KServe's preset; or sidecars are set up"
        " without Istio's CNI plugin (istio-init has NET_ADMIN), which no profile can promise beside `baseline`",
        next_step=service.kube.kubectl(
            "label", "--dry-run=server", "--overwrite", "namespace", service.namespace, f"{ENFORCE}=restricted"
        ),
    )
