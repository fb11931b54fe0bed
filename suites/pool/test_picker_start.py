"""How the picker is started, and whether it lives: read from objects, before any request."""

from datetime import UTC, datetime

import pytest

from tools.cases.capabilities import REVIEWS
from tools.explain import bullets, check
from tools.faults import picker as faults
from tools.faults import pool as pool_faults
from tools.kube import accounts, picker_flags, picker_health
from tools.kube.access import missing
from tools.kube.kinds import POOL
from tools.kube.llm_service import LlmService
from tools.kube.picker_start import needs, trouble


@pytest.mark.conformance(
    name="picker-is-healthy",
    level="core",
    fault=[
        faults.picker_of_unknown_plugin.shows("no-such-scorer", "plugin that its image does not have"),
        faults.picker_of_unknown_flag.shows("--no-such-flag", "flags are not those of its image"),
        faults.picker_of_refused_flag.shows("kv-cache-usage-percentage-metric", "refuses since the Extension 1.4"),
        faults.picker_of_unknown_field.shows("noSuchField", "field that its image does not know"),
        faults.picker_may_not_list_pods.shows("pods is forbidden", "its account lacks rights"),
        pool_faults.picker_stopped.shows("there is no picker pod"),
    ],
    checks=["picker"],
)
def test_is_healthy(service: LlmService) -> None:
    """Every picker pod is Ready and is not restarted (with leader election one is Ready, and the others run)."""
    found, now = service.pickers(), datetime.now(UTC)
    ready = [line for pod in found for line in picker_health.trouble(pod, now)]
    if _elects(service) and len(found) > 1:
        # Readiness is the leader's alone, by design.
        ready = picker_health.trouble_of_several(found, now)
    sick = [pod for pod in found if picker_health.trouble(pod, now)]
    causes = [picker_health.cause(picker_health.last_words(service, pod)) for pod in sick] if ready else []
    names = [pod["metadata"]["name"] for pod in sick] or [pod["metadata"]["name"] for pod in found]
    check(
        not ready,
        "picker pods that are Ready, and not restarted within the last hour",
        bullets(ready),
        cause="; ".join(dict.fromkeys(each for each in causes if each))
        or "its last words tell nothing that is known; it is not ready before it has read its pool and pods",
        next_step=service.kubectl("logs", names[0], "-c", "main", "--tail=20"),
    )


@pytest.mark.conformance(
    name="picker-is-started-for-its-pool",
    level="core",
    fault=[
        faults.picker_of_another_pool.shows("pool-name is no-such-pool", "knows no server"),
        faults.picker_of_another_namespace.shows("pool-namespace is default", "knows no server"),
        faults.picker_scrapes_https.shows("model-server-metrics-scheme is https", "speak plaintext"),
        faults.picker_scrapes_another_port.shows("model-server-metrics-port is 8001", "stay 0"),
        faults.picker_probed_by_stream.shows("livenessProbe asks for", "restarted for ever"),
        faults.picker_doubled.shows("2 replicas", "without leader election"),
        faults.picker_metrics_open.shows("metrics-endpoint-auth is false"),
    ],
    checks=["picker"],
)
def test_is_started_for_its_pool(service: LlmService) -> None:
    """The picker's flags, ports and probes are those of the service's pool, servers and number of pickers."""
    deployment, pool = service.child("picker"), service.child("pool")
    wrong = trouble(deployment, pool, service.child("picker service"), service.child("workload"))
    check(
        not wrong,
        f"a picker for {POOL.resource} {pool['metadata']['name']} in {service.namespace}, as KServe starts it",
        bullets([f"{each.observed} (wanted: {each.wanted})" for each in wrong]),
        cause=bullets(list(dict.fromkeys(each.effect for each in wrong))) if wrong else "",
        next_step=service.kubectl("get", "deployment", deployment["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="picker-scores-as-configured",
    level="core",
    fault=faults.picker_without_prefix_scorer.shows("'queue-scorer': 2.0}", "prefix-cache-scorer"),
    checks=["picker"],
)
def test_scores_as_configured(service: LlmService) -> None:
    """The picker's scorers and their weights are those of the service's own configuration, or of a KServe release."""
    container = picker_flags.main(service.child("picker"))
    config = picker_flags.flags(container).config or {}
    promised = picker_flags.promised_scorers(service.read()["spec"])
    found, loose = picker_flags.scorers(config), picker_flags.undefined(config)
    check(
        bool(found) and not loose and (promised is None or found in promised),
        f"an EndpointPickerConfig whose scorers weigh {' or '.join(map(str, promised or ())) or 'anything'}",
        f"--config-text has scorers {found}" + (f", and refers to undefined plugins {loose}" if loose else ""),
        cause="somebody changed the Deployment, or KServe kept what was there: what was once given stays in it after"
        " being taken out of spec.router.scheduler.config",
        next_step=service.kubectl("get", "deployment", service.children["picker"][1], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="picker-may-watch",
    level="core",
    requires=[REVIEWS],
    fault=[
        faults.picker_may_not_list_pods.shows("pods in", "-epp-sa"),
        faults.picker_unbound.shows("inferencepools", "pods in", "-epp-sa"),
    ],
    checks=["picker"],
)
def test_may_watch(service: LlmService) -> None:
    """The picker's account may list and watch all that its release reads, by the API server's own word."""
    deployment = service.child("picker")
    account = deployment["spec"]["template"]["spec"].get("serviceAccountName", "default")
    several = deployment["spec"].get("replicas", 1) > 1
    lacking = accounts.lacking(service.kube, account, service.namespace, needs(service.namespace, several=several))
    check(
        not lacking,
        f"ServiceAccount {account} to be allowed what a picker reads",
        f"ServiceAccount {account} may not\n{missing(lacking)}",
        cause=f"Role {service.name}-epp-role or its RoleBinding was changed, or names another account; a picker without"
        " these rights is never ready, one that had them until now goes on with what it knew",
        next_step=service.kubectl("describe", f"role/{service.name}-epp-role", f"rolebinding/{service.name}-epp-rb"),
    )


@pytest.mark.conformance(
    name="picker-is-not-slowed-down",
    level="extended",
    fault=[
        faults.picker_debugs.shows("v is 5", "wait for each other"),
        faults.picker_throttled.shows("CPU limit is 100m", "throttled"),
    ],
    checks=["picker"],
)
def test_is_not_slowed_down(service: LlmService) -> None:
    """The picker writes no debugging log, and has no CPU limit below half a core."""
    container = picker_flags.main(service.child("picker"))
    wrong = picker_flags.slow(container)
    check(
        not wrong,
        "a picker with --v of at most 2 and, if any, a CPU limit of at least 500m",
        bullets(wrong),
        cause="debugging lines make concurrent requests wait for each other, and a throttled picker is late for its own"
        " probes: tails of latency grow while accelerators idle",
        next_step=service.kubectl("get", "deployment", service.children["picker"][1], "-o", "yaml"),
    )


def _elects(service: LlmService) -> bool:
    return picker_flags.flags(picker_flags.main(service.child("picker"))).on("ha-enable-leader-election")
