"""From the Gateway on: what it is told of TLS towards picker and servers, and what these really speak."""

import pytest

from tools.cases.capabilities import CONTROLLERS, FORWARD, READS_POLICIES
from tools.explain import bullets, check
from tools.faults import backends as faults
from tools.faults import routing
from tools.kube import backends, gateways
from tools.kube.kinds import DESTINATION_RULE, SERVICE
from tools.kube.llm_service import PART_OF, LlmService
from tools.profile import Profile


@pytest.mark.conformance(
    name="gateway-finds-what-rules-name",
    level="core",
    requires=[READS_POLICIES, CONTROLLERS],
    fault=faults.authority_not_mounted.shows("/etc/no-such-bundle/ca.crt", "is not mounted", "SDS"),
    checks=["gateway"],
)
def test_finds_what_rules_name(service: LlmService) -> None:
    """Authorities' files that DestinationRules name are mounted in the Gateway's proxies."""
    rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    proxies = gateways.proxies(service.kube, service.gateway)
    wrong = [line for rule in rules for line in backends.not_mounted(rule, proxies)]
    check(
        not wrong,
        "every file that a DestinationRule names in the Gateway's proxies",
        bullets(wrong),
        cause="the ConfigMap of the authority is mounted elsewhere in the gateway, or nowhere: requests are 503,"
        " 'Secret is not supplied by SDS'",
        next_step=service.kubectl("get", DESTINATION_RULE.resource, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="gateway-checks-backends-as-promised",
    level="extended",
    requires=[READS_POLICIES],
    fault=faults.servers_unverified.shows("insecureSkipVerify", "-workload-svc"),
    checks=["picker"],
)
def test_checks_backends(service: LlmService, profile: Profile) -> None:
    """No certificate goes unchecked behind the Gateway, but the picker's where the profile says so."""
    exempt = () if profile.picker.verified else (service.children["picker service"][1],)
    rules = service.kube.objects(DESTINATION_RULE, service.namespace)
    wrong = [line for rule in rules for line in backends.unverified(rule, exempt)]
    check(
        not wrong,
        "DestinationRules that check certificates"
        + (f", but for {', '.join(exempt)}, as the profile says (picker.verified: false)" if exempt else ""),
        bullets(wrong),
        cause="insecureSkipVerify encrypts towards whoever answers: put caCertificates in its place",
        next_step=service.kubectl("get", DESTINATION_RULE.resource, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="gateway-speaks-what-ports-declare",
    level="core",
    requires=[READS_POLICIES, FORWARD],
    fault=[
        faults.port_declared_as_tls.shows("declares https", "speaks plaintext", "WRONG_VERSION_NUMBER"),
        routing.destination_rule_removed.shows("speaks TLS", "DestinationRule"),
    ],
    checks=["gateway"],
)
def test_speaks_what_is_declared(service: LlmService) -> None:
    """Each port that the Gateway speaks to, of servers and picker, speaks TLS exactly if it is declared so."""
    kube = service.kube
    rules = kube.objects(DESTINATION_RULE, service.namespace)
    wrong = []
    for part in ("workload service", "picker service"):
        found = kube.get(SERVICE, service.children[part][1], service.namespace)
        pods = service.servers() if part == "workload service" else service.pickers()
        # The picker's others are not for the gateway.
        asked = service.child("pool")["spec"]["endpointPickerRef"].get("port", {}).get("number")
        for port in found["spec"]["ports"]:
            if part == "picker service" and port["port"] != asked:
                continue
            told = backends.declared(found, port, rules)
            spoken = backends.spoken(kube, pods[0], port)
            if mismatch := backends.mismatch(told, spoken):
                wrong.append(f"Service {found['metadata']['name']} port {port.get('name', port['port'])}: {mismatch}")
    check(
        not wrong,
        "ports that speak what their appProtocol or name declares, with their DestinationRule",
        bullets(wrong),
        cause="the gateway takes a Service at its word: TLS towards plaintext is 503 (WRONG_VERSION_NUMBER), plaintext"
        " towards TLS is cut",
        next_step=service.kubectl("get", "services", "-l", PART_OF, "-o", "yaml"),
    )
