"""Mutual TLS as it is seen: by a client outside the mesh, by the gateway, in certificates, and in what policies say."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest

from tools.cases.capabilities import CONTROLLERS, FORWARD, READS_POLICIES, THROUGH
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import mtls as faults
from tools.faults import workload
from tools.kube import plaintext
from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.kinds import DESTINATION_RULE, PEER_AUTHENTICATION, SERVICE
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import get_from_pod
from tools.mesh import identity, peers, towards
from tools.metrics import envoy
from tools.openai.client import Client
from tools.openai.expect import expect_status
from tools.probe.verdict import ProbeFailed, Verdict
from tools.profile import Mtls, Profile

_PORT = faults.SERVER_PORT
# Of Istio's agent, which answers plaintext whatever the mesh demands: if it does not, nothing is known of the servers.
_CONTROL, _CONTROL_PATH = 15020, "/healthz/ready"
_MODES = {Mtls.STRICT: ("STRICT",), Mtls.PERMISSIVE: ("PERMISSIVE",), Mtls.OFF: ("PERMISSIVE", "DISABLE")}
# istiod's certificates last 24 h and are renewed at half of that. With less left than this, servers stop being believed
# before anybody has mended an istiod that is gone.
_LEAST = timedelta(minutes=15)


@pytest.mark.alone  # it opens the service's NetworkPolicies for a moment
@pytest.mark.usefixtures("outside")
@pytest.mark.conformance(
    name="mesh-plaintext-is-as-promised",
    level="core",
    requires=[claimed("sidecars"), THROUGH, CONTROLLERS],
    fault=[
        faults.servers_permissive.shows("answered 200", "PERMISSIVE", "-servers-permissive"),
        faults.server_port_permissive.shows("answered 200", "for port 8000"),
        faults.servers_without_tls.shows("answered 200", "DISABLE"),
        faults.gateway_told_plaintext.shows("503"),
    ],
    checks=["strict-mtls", "permissive-mtls"],
)
def test_plaintext(service: LlmService, profile: Profile, client: Client) -> None:
    """A client outside the mesh gets from a server what the profile says: nothing (STRICT), or an answer (PERMISSIVE).

    And the gateway is answered all the same.
    """
    wrong, demands = [], []
    for pod in service.servers():
        _expect_control(service, pod)
        answer = plaintext.ask(service.kube, pod, _PORT, "/health")
        demand = peers.demand(_policies(service), pod, _PORT, service.istiod.namespace)
        demands.append(str(demand))
        if trouble := _trouble(answer, profile.mtls):
            wrong.append(f"{pod['metadata']['name']}:{_PORT}: plaintext is {trouble}; demanded is {demand}")
    promised = "to be refused" if profile.mtls is Mtls.STRICT else "to be answered"
    check(
        not wrong,
        f"plaintext from outside the mesh {promised} by server pods (the profile's mtls is {profile.mtls})",
        bullets(wrong),
        cause="a PeerAuthentication says so, or there is none; or traffic to the port does not go through the sidecar"
        " (traffic.sidecar.istio.io/excludeInboundPorts)",
        next_step=service.kubectl("get", PEER_AUTHENTICATION.resource, "-A", "-o", "yaml"),
    )
    expect_status(client.complete(), 200, f"the gateway to be answered all the same (demanded is {demands[0]})")


@pytest.mark.conformance(
    name="mesh-mtls-policies-agree",
    level="core",
    requires=[claimed("sidecars"), READS_POLICIES, CONTROLLERS],
    fault=[
        faults.server_port_permissive.shows("PERMISSIVE", "for port 8000"),
        faults.servers_without_tls.shows("DISABLE", "of the workload"),
        faults.gateway_told_plaintext.shows("tls mode DISABLE", "503 at the gateway"),
    ],
    checks=["strict-mtls", "permissive-mtls"],
)
def test_policies_agree(service: LlmService, profile: Profile) -> None:
    """PeerAuthentications demand what the profile says, none in vain, and no DestinationRule is against them."""
    policies, root = _policies(service), service.istiod.namespace
    rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    hosts = _services(service)
    wrong = []
    for pod in service.servers():
        name = pod["metadata"]["name"]
        found = peers.demand(policies, pod, _PORT, root)
        if found.mode not in _MODES[profile.mtls]:
            wrong.append(f"{name}: port {_PORT} demands {found}")
        wrong += [f"{name}: {line}" for line in peers.ignored(policies, pod, root)]
        told = [towards.said(rules, host, service.namespace, port) for host, port in hosts]
        wrong += [line for each in told if (line := towards.conflict(each, found))]
    check(
        not wrong,
        f"{' or '.join(_MODES[profile.mtls])} for the servers (the profile's mtls is {profile.mtls}), and clients that"
        " are told to speak it",
        bullets(list(dict.fromkeys(wrong))),
        cause="of several PeerAuthentications the narrowest counts: port, workload, namespace, mesh; a DestinationRule"
        " with tls takes the place of what clients would find out by themselves",
        next_step=service.kubectl("get", f"{PEER_AUTHENTICATION.resource},{DESTINATION_RULE.resource}", "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="mesh-servers-prove-who-they-are",
    level="core",
    requires=[claimed("sidecars"), FORWARD],
    fault=[
        faults.certificate_short.shows("ends in", "minutes"),
        workload.sidecars_missing.shows("15000", "did not answer"),
    ],
    checks=["sidecars"],
)
def test_identity(service: LlmService) -> None:
    """Each sidecar's certificate is of its server's own service account, valid, and renewed long before it ends."""
    now, wrong = datetime.now(UTC), []
    for pod in service.servers():
        name = pod["metadata"]["name"]
        try:
            body = get_from_pod(service.kube, service.namespace, name, envoy.ADMIN_PORT, "/certs").body
            found = identity.certificates(body)
        except (KubeError, ValueError) as error:
            wrong.append(f"{name}: admin port {envoy.ADMIN_PORT} did not answer: {error}")
            continue
        wrong += [f"{name}: {line}" for line in identity.trouble(found, pod, now, _LEAST)]
    check(
        not wrong,
        "sidecars with valid certificates of their servers' service accounts",
        bullets(wrong),
        cause="istiod's authority is not reached (15012) or was changed, or SECRET_TTL makes certificates short-lived",
        next_step=service.kube.kubectl("-n", service.istiod.namespace, "logs", f"deployment/{service.istiod.name}"),
    )


def _expect_control(service: LlmService, pod: Object) -> None:
    """What must answer plaintext does.

    Raises:
        ProbeFailed: it does not, so that silence of the server's own port would prove nothing.
    """
    found = plaintext.ask(service.kube, pod, _CONTROL, _CONTROL_PATH)
    if found.verdict is not Verdict.HTTP or found.status != HTTPStatus.OK:
        raise ProbeFailed(
            f"the API server does not reach pod {pod['metadata']['name']}: its port {_CONTROL} {found.summary},"
            f" where Istio's agent answers everybody, so nothing is known of {_PORT}; a NetworkPolicy may keep it out"
        )


def _trouble(answer: plaintext.Answer, promised: Mtls) -> str:
    """Why an answer to plaintext is not what was promised; empty if it is."""
    if promised is Mtls.STRICT:
        # The sidecar has no way to answer whom it does not understand: it cuts.
        return "" if answer.verdict is Verdict.RESET else answer.summary
    return "" if answer.verdict is Verdict.HTTP and answer.status == HTTPStatus.OK else answer.summary


def _policies(service: LlmService) -> list[Object]:
    kube, namespaces = service.kube, {service.namespace, service.istiod.namespace}
    return [each for namespace in sorted(namespaces) for each in kube.objects(PEER_AUTHENTICATION, namespace)]


def _services(service: LlmService) -> list[tuple[str, int]]:
    """Services by which the gateway reaches servers, with the ports of theirs: KServe's, and Istio's for the pool."""
    pool = service.children["pool"][1]
    names = (service.children["workload service"][1], f"{pool}-ip-")
    return [
        (found["metadata"]["name"], port["port"])
        for found in service.kube.objects(SERVICE, service.namespace)
        if found["metadata"]["name"].startswith(names)
        for port in found["spec"]["ports"]
    ]
