"""Who reaches what, by packets: each kind of place tries each kind of target, and the profile says which may."""

import pytest

from fixtures.reach import Measure, demand
from tools.cases.capabilities import NODES, READS_ISOLATION
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import reach as faults
from tools.kube.llm_service import LlmService
from tools.reach.cells import OF_PICKER, OF_SERVER, OUTWARDS, What, Who

_NEEDS = [claimed("default-deny"), READS_ISOLATION, NODES]


@pytest.mark.conformance(
    name="network-servers-take-only-who-is-meant",
    level="core",
    requires=_NEEDS,
    fault=[
        faults.three_as_many_have_them.shows(
            "a pod of another namespace", "8000", "expected DROPPED, seen ALLOWED", "ingress[1] lets it through",
            "an empty namespaceSelector",
        ),
        faults.servers_allowed_in_misspelt.shows("the gateway", "expected ALLOWED, seen DROPPED", "lets it through"),
        faults.policies_deleted.shows("no policy isolates the destination", "expected DROPPED, seen ALLOWED"),
    ],
    checks=["default-deny"],
)  # fmt: skip
def test_servers(service: LlmService, measured: Measure) -> None:
    """Server and sidecar ports are reached by gateway, picker, Prometheus and their node alone, on both nodes."""
    demand(service, measured(lambda cell: cell[1] in OF_SERVER), "servers that only those reach who have to")


@pytest.mark.conformance(
    name="network-picker-takes-only-who-is-meant",
    level="core",
    requires=_NEEDS,
    fault=[
        faults.picker_left_out.shows("the gateway", "9002", "expected ALLOWED, seen DROPPED", "500 (FailClose)"),
        faults.picker_opened.shows("a pod of another namespace", "9003", "expected DROPPED, seen ALLOWED"),
    ],
    checks=["default-deny"],
)
def test_picker(service: LlmService, measured: Measure) -> None:
    """The picker's ports are reached by the gateway (9002), Prometheus (9090) and its node alone."""
    demand(service, measured(lambda cell: cell[1] in OF_PICKER), "a picker that only those reach who have to")


@pytest.mark.conformance(
    name="network-egress-is-what-is-needed",
    level="core",
    requires=_NEEDS,
    fault=[
        faults.only_inwards.shows("no policy isolates the source", "expected DROPPED, seen ALLOWED", "ingress only"),
        faults.picker_left_out.shows("the picker", "the API server", "expected ALLOWED, seen DROPPED"),
    ],
    checks=["default-deny"],
)
def test_egress(service: LlmService, measured: Measure) -> None:
    """The service's pods reach DNS, the picker the API server as well, and nothing else: not even the internet."""
    ways = {*OUTWARDS} - {What.METADATA, What.TENANT}
    demand(service, measured(lambda cell: cell[1] in ways), "ways out for what is needed, and for nothing else")


@pytest.mark.conformance(
    name="network-metadata-is-closed",
    level="core",
    requires=_NEEDS,
    fault=faults.everywhere_allowed.shows("169.254.169.254", "expected DROPPED, seen ALLOWED", "0.0.0.0/0"),
    checks=["default-deny"],
)
def test_metadata(service: LlmService, measured: Measure) -> None:
    """No pod of the service's namespace reaches the cloud's metadata server, which gives out the node's credentials."""
    demand(service, measured(lambda cell: cell[1] is What.METADATA), "a metadata server that is closed to every pod")


@pytest.mark.conformance(
    name="network-other-tenants-are-closed",
    level="core",
    requires=_NEEDS,
    fault=faults.every_pod_allowed.shows("a service of somebody else", "expected DROPPED, seen ALLOWED"),
    checks=["default-deny"],
)
def test_tenants(service: LlmService, measured: Measure) -> None:
    """No pod of the service's namespace reaches services of others, where whoever takes it over could go on."""
    demand(service, measured(lambda cell: cell[1] is What.TENANT), "services of others that are closed to every pod")


@pytest.mark.conformance(
    name="network-clients-come-by-the-gateway",
    level="core",
    requires=_NEEDS,
    fault=faults.gateway_closed.shows("outside of the cluster", "expected ALLOWED, seen DROPPED", "nobody reaches"),
    checks=["default-deny", "gateway"],
)
def test_clients(service: LlmService, measured: Measure) -> None:
    """From outside the Gateway's address is reached, and neither servers nor picker past it."""
    demand(service, measured(lambda cell: cell[0] is Who.OUTSIDE), "the Gateway as the only way in from outside")


@pytest.mark.conformance(
    name="network-table-agrees-with-policies",
    level="core",
    requires=_NEEDS,
    fault=faults.enforced_otherwise.shows("the policies let it through", "seen DROPPED"),
    checks=["default-deny"],
)
def test_agrees(service: LlmService, measured: Measure) -> None:
    """What connections find is what the policies say, cell by cell: they are enforced as they are written."""
    table = measured(lambda _: True)
    found = table.disagreeing()
    check(
        not found,
        "each cell as NetworkPolicies have it, by their text",
        bullets(
            [
                f"{each.source} to {each.target.name} ({each.target.place}): the policies "
                f"{'let it through' if each.word.open else 'forbid it'} ({each.word.why}), seen {each.verdict}"
                for each in found
            ]
        ),
        cause="the engine is behind or does not run on a node, something else filters as well, or it reads a rule "
        "otherwise than networking.k8s.io/v1 says",
        next_step=service.kubectl("get", "networkpolicies", "-o", "yaml"),
        details=table.drawn(),
    )
