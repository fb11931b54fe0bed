"""What pods may do, what they show, and what of the mesh's own ports others reach."""

from http import HTTPStatus

import pytest

from tools.cases.capabilities import READS_LOGS, READS_SECRETS, THROUGH, THROUGH_ISTIO
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import hardening as faults
from tools.faults import workload
from tools.kube import exposed, hardening, plaintext, pods
from tools.kube.client import Object
from tools.kube.kinds import POD, SECRET
from tools.kube.llm_service import LlmService
from tools.metrics import envoy
from tools.probe.verdict import ProbeFailed, Verdict
from tools.profile import Profile

# Of Istio's agent: it answers everybody, so that silence elsewhere is no silence of the way there.
_AGENT, _HEALTH = 15020, "/healthz/ready"
# Of istiod: discovery's and the monitoring port, both with /debug; ControlZ, which changes log levels and dumps memory.
_DEBUG = ((15014, "/debug/syncz"), (8080, "/debug/syncz"), (9876, "/scopej"))
_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@pytest.mark.alone  # it opens the service's NetworkPolicies for a moment
@pytest.mark.usefixtures("outside")
@pytest.mark.conformance(
    name="mesh-envoy-admin-is-closed",
    level="core",
    requires=[claimed("sidecars"), THROUGH],
    fault=faults.envoy_admin_opened.shows("15000", "answered 200"),
    checks=["sidecars"],
)
def test_envoy_admin_is_closed(service: LlmService) -> None:
    """A sidecar's admin port, which tells and changes everything, answers nobody from outside its pod."""
    wrong = []
    for pod in service.servers():
        _expect_reached(service, pod, _AGENT, _HEALTH)
        answer = plaintext.ask(service.kube, pod, envoy.ADMIN_PORT, "/server_info")
        if answer.verdict is Verdict.HTTP:
            wrong.append(f"{pod['metadata']['name']}:{envoy.ADMIN_PORT}: {answer.summary}")
    check(
        not wrong,
        f"no answer from sidecars' admin port {envoy.ADMIN_PORT} to others than their own pod",
        bullets(wrong),
        cause="an EnvoyFilter puts the admin listener on all addresses, and the port is not captured: whoever reaches"
        " it reads the configuration and stops the proxy (/quitquitquit)",
        next_step=service.kubectl("get", "envoyfilters.networking.istio.io", "-A"),
    )


@pytest.mark.conformance(
    name="mesh-istiod-debug-is-closed",
    level="core",
    requires=[claimed("sidecars"), THROUGH_ISTIO],
    fault=faults.control_opened.shows("9876/scopej: answered"),
    checks=["sidecars"],
)
def test_istiod_debug_is_closed(service: LlmService) -> None:
    """What istiod tells for debugging, of every namespace, it does not tell to whom it does not know."""
    kube, namespace = service.kube, service.istiod.namespace
    found = [pod for pod in kube.objects(POD, namespace, labels="app=istiod") if pods.is_ready(pod)]
    wrong = [] if found else [f"there is no istiod that is ready in {namespace}"]
    for pod in found:
        _expect_reached(service, pod, 15014, "/version")
        for port, path in _DEBUG:
            answer = plaintext.ask(kube, pod, port, path)
            if answer.verdict is Verdict.HTTP and answer.status not in _DENIED:
                wrong.append(f"{pod['metadata']['name']}:{port}{path}: {answer.summary}")
    check(
        not wrong,
        "istiod's ports for debugging to answer nobody without credentials (401, 403 or not at all)",
        bullets(wrong),
        cause="istiod is older than the check of who asks (1.29), or is started with --ctrlz_address on all addresses",
        next_step=kube.kubectl("-n", namespace, "get", f"deployment/{service.istiod.name}", "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="mesh-pods-are-restricted",
    level="core",
    fault=[
        faults.server_unrestricted.shows("allowPrivilegeEscalation is not false", "NET_RAW", "main"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["sidecars", "picker"],
)
def test_pods_are_restricted(service: LlmService) -> None:
    """Containers of servers and picker may no more than Pod Security's `restricted` allows; added ones are told."""
    found = [*service.servers(), *service.pickers()]
    wrong = [f"{pod['metadata']['name']}: {line}" for pod in found for line in hardening.trouble(pod)]
    added = sorted({line for pod in found for line in hardening.added(pod)})
    check(
        not wrong,
        "containers that are not root, without privilege escalation and capabilities, with the runtime's seccomp",
        bullets(wrong),
        cause="the service's template has a securityContext of its own, which takes the place of KServe's preset",
        next_step=service.kubectl("get", "pods", "-o", "yaml"),
        details=f"what Istio and KServe add, not counted: {', '.join(added)}" if added else "",
    )


@pytest.mark.conformance(
    name="mesh-secrets-stay-secret",
    level="core",
    requires=[READS_SECRETS, READS_LOGS],
    fault=[
        faults.token_in_clear.shows("huggingface-token/HF_TOKEN", "is in clear in env"),
        faults.token_logged.shows("huggingface-token/HF_TOKEN", "in the log of"),
    ],
)
def test_secrets_stay_secret(service: LlmService, profile: Profile) -> None:
    """No value of the service's Secrets is in the specification or the log of its pods; values are never told."""
    names = {each.name for each in (profile.secrets.pull, profile.secrets.token) if each is not None}
    found = [service.kube.find(SECRET, name, service.namespace) for name in sorted(names)]
    known = exposed.values(each for each in found if each is not None)
    wrong = []
    for pod in [*service.servers(), *service.pickers()]:
        name = pod["metadata"]["name"]
        wrong += [f"{name}: {line}" for line in exposed.in_pod(pod, known)]
        for container in (each["name"] for each in pods.statuses(pod) if pods.has_run(each)):
            text = service.kube.logs(name, service.namespace, container, lines=_LINES)
            wrong += [f"{name}: {where} is in the log of {container}" for where in exposed.in_text(text, known)]
    check(
        not wrong,
        f"pods that show no value of {', '.join(sorted(names)) or 'Secrets, of which the profile names none'}",
        bullets(wrong),
        cause="a token was written into the template in place of a reference, or a program tells its settings",
        next_step=service.kubectl("get", "deployments", "-o", "jsonpath={..env[*].name}"),
    )


_LINES = 2000


def _expect_reached(service: LlmService, pod: Object, port: int, path: str) -> None:
    """What must answer everybody does.

    Raises:
        ProbeFailed: it does not, so that silence of other ports would prove nothing.
    """
    found = plaintext.ask(service.kube, pod, port, path)
    if found.verdict is not Verdict.HTTP or found.status != HTTPStatus.OK:
        raise ProbeFailed(
            f"the API server does not reach pod {pod['metadata']['name']}: its port {port} {found.summary}, where"
            " everybody is answered; a NetworkPolicy may keep it out"
        )
