"""Whether this cluster enforces NetworkPolicies at all, tried between two probers: without it no cell says anything."""

import time

from tools.features.canary_verdict import DENIED, Enforcement, Probe, judge
from tools.features.canary_verdict import Seen as SeenProbes
from tools.kube.kinds import NETWORK_POLICY
from tools.kube.labels import of_run
from tools.kube.llm_service import LlmService
from tools.probe.until import probes_until
from tools.probe.verdict import Verdict
from tools.reach.cells import Target, What, Who
from tools.reach.pod_source import PodSource
from tools.reach.probers import PORT, PROBER, Probers
from tools.reach.source import measure
from tools.waiting.timeouts import seconds

CANARY = "llmisvc-conformance-canary"
_FROM, _TO = Who.DEFAULT, Who.OTHER


class Untold(Exception):
    """The instrument could not tell: no verdict about the product."""


def enforcement(service: LlmService) -> tuple[Enforcement, str]:
    """Forbid one prober to be connected to, and see what another one makes of it; and again without the policy."""
    kube, found = service.kube, Probers(service).found()
    if _FROM not in found or _TO not in found:
        return Enforcement.INVALID, f"there is no prober {_FROM} or {_TO}"
    asked, source = found[_TO], PodSource(kube, Probers.end(found[_FROM]))
    end = Probers.end(asked)
    target = Target(What.TENANT, asked["status"]["podIP"], PORT, "the canary", ((end, PORT),))
    policy = {
        "apiVersion": NETWORK_POLICY.api,
        "kind": NETWORK_POLICY.kind,
        "metadata": {"name": CANARY, "namespace": end.namespace, "labels": of_run(asked)},
        "spec": {"podSelector": {"matchLabels": {PROBER: _TO.value}}, "policyTypes": ["Ingress"]},
    }

    def probe() -> Probe:
        verdict = measure({source: [target]})[source, target]
        return Probe(Verdict.REFUSED if verdict is Verdict.RESET else verdict)

    before = probe()
    if before is not Probe.ALLOWED:
        return judge(SeenProbes(before))
    started = time.monotonic()
    try:
        kube.create(policy)
        under = probes_until(probe, lambda seen: seen in DENIED, seconds("policy-effect"))
        spent = time.monotonic() - started
    finally:
        kube.delete(NETWORK_POLICY, CANARY, end.namespace)
    after = probes_until(probe, lambda seen: seen is Probe.ALLOWED, seconds("policy-effect"))
    return judge(SeenProbes(before, under, after, spent))
