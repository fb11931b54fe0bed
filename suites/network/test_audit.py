"""NetworkPolicies as they are written: whom they let in, what they stop, what they cannot match.

Nothing is probed, so none of these cases stands for the promise `default-deny`: policies that are right may be enforced
by nobody.
"""

import pytest

from tools.cases.capabilities import READS_ISOLATION
from tools.cases.requirement import claimed
from tools.faults import isolation as faults
from tools.faults import workload
from tools.kube.kinds import NETWORK_POLICY
from tools.kube.llm_service import LlmService
from tools.netpolicy.audit_flows import missing, unisolated
from tools.netpolicy.audit_selectors import dead, unable
from tools.netpolicy.audit_width import leaking, wide
from tools.netpolicy.finding import Finding
from tools.netpolicy.reading import Found, read
from tools.platform.trouble import Trouble, demand


@pytest.mark.conformance(
    name="network-pods-are-isolated",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION],
    fault=[
        faults.ways_out_forgotten.shows("is selected by no policy for Egress", "it reaches everything"),
        faults.default_deny_removed.shows("any further pod of", "is selected by no policy for Ingress"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_pods_are_isolated(service: LlmService) -> None:
    """Policies isolate every pod of the service's namespace in both directions, those that are yet to come as well."""
    found = _read(service)
    demand(
        "policies for every pod of the service's namespace, in both directions",
        _told(service, unisolated(found.world, found.facts)),
    )


@pytest.mark.conformance(
    name="network-rules-let-in-who-is-meant",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION],
    fault=[
        faults.everybody_let_in_for_probes.shows(
            "ingress[0] lets into the server's port 8000", "any pod of any namespace", "with its kubelet"
        ),
        faults.as_many_clusters_have_them.shows("llmisvc-conformance-allow-gateway-to-vllm ingress[1] lets into"),
    ],
)
def test_rules_let_in_who_is_meant(service: LlmService) -> None:
    """No rule lets into servers or picker anybody but gateway, picker and Prometheus: not every pod "for probes"."""
    found = _read(service)
    demand("rules that let in who is meant, and nobody else", _told(service, wide(found.world, found.facts)))


@pytest.mark.conformance(
    name="network-needed-traffic-is-let-through",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION],
    fault=[
        faults.picker_forgotten.shows("gateway to picker (TCP 9002", "500 (FailClose)", "picker to API server"),
        faults.as_many_clusters_have_them.shows("servers to model source", "the next restart does not"),
        faults.monitoring_only.shows("gateway to servers (TCP 8000", "a policy for monitoring only"),
    ],
)
def test_needed_traffic_is_let_through(service: LlmService) -> None:
    """Policies let through all that the service needs, at its next start as well: every flow of the required matrix."""
    found = _read(service)
    demand("policies that let through every flow that is needed", _told(service, missing(found.world, found.facts)))


@pytest.mark.conformance(
    name="network-selectors-select-somebody",
    level="extended",
    requires=[claimed("default-deny"), READS_ISOLATION],
    fault=faults.written_for_another_name.shows("app.kubernetes.io/name=another", "selects no pod of"),
)
def test_selectors_select_somebody(service: LlmService) -> None:
    """Policies for servers or picker select pods, and each peer of their rules is somebody: no status would say so."""
    found = _read(service)
    demand("selectors that select somebody", _told(service, dead(found.world, found.facts)))


@pytest.mark.conformance(
    name="network-ways-out-lead-where-meant",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION],
    fault=[
        faults.as_many_clusters_have_them.shows("egress[1] selects pods of the cluster, and never an outside address"),
        faults.everything_let_out.shows("leads everywhere", "169.254.169.254", "the node's credentials"),
    ],
)
def test_ways_out_lead_where_meant(service: LlmService) -> None:
    """Egress rules lead to API server and internet by address, not by selectors, and never to the metadata server."""
    found = _read(service)
    wrong = [*unable(found.world, found.facts), *leaking(found.world, found.facts)]
    demand("egress rules that lead where they are meant to", _told(service, wrong))


def _read(service: LlmService) -> Found:
    """All that policies apply to; there are servers and a picker, or nothing that is said would be said of somebody."""
    service.servers()
    service.pickers()
    return read(service)


def _told(service: LlmService, found: list[Finding]) -> list[Trouble]:
    return [
        Trouble(each.line, each.why, f"{_command(service, each)}   # right would be:\n{each.corrected}")
        for each in found
    ]


def _command(service: LlmService, finding: Finding) -> str:
    namespace, _, name = finding.policy.partition("/")
    if name:
        return service.kube.kubectl("-n", namespace, "edit", NETWORK_POLICY.resource, name)
    return service.kubectl("get", NETWORK_POLICY.resource, "-o", "yaml")
