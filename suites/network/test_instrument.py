"""The instrument comes first: policies have an effect at all, and probers are nobody but themselves."""

import pytest

from tools.cases.capabilities import NODES, READS_ISOLATION
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import reach as faults
from tools.features.canary_verdict import Enforcement
from tools.kube.doors import outside_of
from tools.kube.llm_service import LlmService
from tools.netpolicy.world import Address
from tools.probe.verdict import Verdict
from tools.reach.cells import Target, What, Who
from tools.reach.enforced import Untold, enforcement
from tools.reach.reach import Reach
from tools.reach.source import measure


@pytest.mark.conformance(
    name="network-policies-are-enforced",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION, NODES],
    fault=faults.policies_without_effect.shows("under default-deny for 10 s", "no network plugin"),
    checks=["default-deny"],
)
def test_policies_are_enforced(service: LlmService, reach: Reach) -> None:
    """A policy that denies is felt: a connection comes through without it, not with it, and again without it."""
    assert reach.service is service
    found, why = enforcement(service)
    if found is Enforcement.INVALID:
        raise Untold(why)
    check(
        found is Enforcement.ENFORCED,
        "a NetworkPolicy to have an effect between two pods of two namespaces",
        why,
        cause="no network plugin of this cluster enforces NetworkPolicies, it does so on some nodes only (made anew "
        "since it was switched on?), or another policy allows what this one denies",
        next_step=service.kube.kubectl("get", "daemonsets,networkpolicies", "-A"),
    )


@pytest.mark.conformance(
    name="network-prober-is-not-captured",
    level="core",
    requires=[claimed("default-deny"), READS_ISOLATION, NODES],
    fault=faults.prober_captured.shows("ALLOWED", "where nobody answers", "sidecar"),
    checks=["default-deny"],
)
def test_prober_is_not_captured(service: LlmService, reach: Reach) -> None:
    """No prober is let in where nobody answers: a sidecar would let it in anywhere, and every cell would be open."""
    door = outside_of(service.kube).silent
    target = Target(What.INTERNET, door.address, door.port, "nobody", ((Address(door.address), door.port),))
    sources = [reach.prober(who) for who in (Who.OTHER, Who.DEFAULT, Who.MONITORING)]
    found = measure({each: [target] for each in sources})
    if failed := [source.name for (source, _), verdict in found.items() if verdict is Verdict.PROBE_FAILED]:
        raise Untold(f"probers did not work: {', '.join(failed)}")
    wrong = [f"{source.name}: {verdict}" for (source, _), verdict in found.items() if verdict is Verdict.ALLOWED]
    check(
        not wrong,
        f"no connection to {target.place}, where nobody answers",
        bullets(wrong),
        cause="the prober's traffic is captured by a sidecar, or a proxy on the way answers for everybody: what it "
        "is let in by is not who it asks",
        next_step=service.kube.kubectl("get", "pods", "-A", "-l", "llmisvc-conformance/prober", "-o", "yaml"),
    )
