"""Mutual TLS as it is seen: by a client outside the mesh, by the gateway, in certificates, and in what policies say."""

from datetime import UTC, datetime, timedelta

import pytest

from suites.mesh.mutual import PORT, met, peer_authentications
from tools.cases.capabilities import CONTROLLERS, FORWARD, READS_POLICIES, THROUGH
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import mtls as faults
from tools.faults import workload
from tools.kube.errors import KubeError
from tools.kube.kinds import DESTINATION_RULE, PEER_AUTHENTICATION, SERVICE
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import get_from_pod
from tools.mesh import identity, peers, towards
from tools.metrics import envoy
from tools.openai.client import Client
from tools.openai.expect import expect_status
from tools.profile import Mtls, Profile

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
        faults.namespace_permissive.shows("answered 200", "PERMISSIVE", "of the namespace"),
        faults.servers_without_tls.shows("answered 200", "DISABLE"),
        faults.gateway_told_plaintext.shows("503"),
    ],
    checks=["strict-mtls", "permissive-mtls"],
)
def test_plaintext(service: LlmService, profile: Profile, client: Client) -> None:
    """A client outside the mesh gets from a server what the profile says: nothing (STRICT), or an answer (PERMISSIVE).

    And the gateway is answered all the same.
    """
    found = met(service)
    wrong = [line for each in found for line in each.trouble(profile.mtls)]
    promised = "to be refused" if profile.mtls is Mtls.STRICT else "to be answered"
    check(
        not wrong,
        f"plaintext from outside the mesh {promised} by server pods (the profile's mtls is {profile.mtls})",
        bullets(wrong),
        cause="a PeerAuthentication says so, or there is none; or traffic to the port does not go through the sidecar"
        " (traffic.sidecar.istio.io/excludeInboundPorts)",
        next_step=service.kubectl("get", PEER_AUTHENTICATION.resource, "-A", "-o", "yaml"),
    )
    expect_status(client.complete(), 200, f"the gateway to be answered all the same (demanded is {found[0].demand})")


@pytest.mark.conformance(
    name="mesh-mtls-policies-agree",
    level="core",
    requires=[claimed("sidecars"), READS_POLICIES, CONTROLLERS],
    fault=[
        faults.server_port_permissive.shows("PERMISSIVE", "for port 8000"),
        faults.servers_without_tls.shows("DISABLE", "of the workload"),
        faults.gateway_told_plaintext.shows("tls mode DISABLE", "503 at the gateway"),
        faults.servers_apart_from_rule.shows("-apart-from-rule", "ISTIO_MUTUAL", "plaintext only", "DISABLE"),
    ],
    checks=["strict-mtls", "permissive-mtls"],
)
def test_policies_agree(service: LlmService, profile: Profile) -> None:
    """PeerAuthentications demand what the profile says, none in vain, and no DestinationRule is against them."""
    policies, root = peer_authentications(service), service.istiod.namespace
    rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    hosts = _services(service)
    wrong = []
    for pod in service.servers():
        name = pod["metadata"]["name"]
        found = peers.demand(policies, pod, PORT, root)
        if found.mode not in _MODES[profile.mtls]:
            wrong.append(f"{name}: port {PORT} demands {found}")
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
