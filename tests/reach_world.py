"""A service on a cluster like the local one, with probers around it, and its table as the policies have it."""

from collections.abc import Iterable, Sequence

from tests.netpolicy_service import DNS, FAMILY, GATEWAY, ISTIOD, PICKER, SERVER, SERVICE
from tests.netpolicy_world import namespace, pod
from tools.kube.doors import Door, Outside
from tools.netpolicy.facts import SCHEDULER, WORKLOAD, Dns, Facts, ModelSource, Pods
from tools.netpolicy.generate import policies
from tools.netpolicy.world import Address, End, NodeEnd, Object, PodEnd, World
from tools.probe.verdict import Verdict
from tools.reach.cells import OUTWARDS, Cell, Target, Who
from tools.reach.promise import promised
from tools.reach.table import Seen, Table
from tools.reach.targets import Around, targets
from tools.reach.word import word

HUB, INTERNET, SILENT = "198.51.100.30", "198.51.100.29", "198.51.100.28"
FACTS = Facts(
    namespace="llm",
    service=SERVICE,
    gateway=Pods("llm", GATEWAY),
    listeners=(80, 443),
    api_server=("172.16.0.10",),
    api_server_port=6443,
    api_service="10.96.0.1",
    dns=Dns(Pods("kube-system", DNS)),
    istiod=Pods("istio-system", ISTIOD),
    source=ModelSource(f"{HUB}/32", (), 80, HUB),
)
OUTSIDE = Outside(Door(INTERNET, 443), Door("169.254.169.254", 80), Door(SILENT, 443))
_DRESSED = {**FAMILY, "app.kubernetes.io/component": SCHEDULER, **GATEWAY, **DNS, **ISTIOD}
_PODS = {
    "llm/gateway": (GATEWAY, "one"),
    "llm/server": (SERVER, "one"),
    "llm/picker": (PICKER, "two"),
    "llm/prober-stranger": ({}, "one"),
    "llm-other/prober-other": (_DRESSED, "one"),
    "llm-other/prober-far": (
        {**FAMILY, "app.kubernetes.io/component": WORKLOAD, "kserve.io/component": "workload"},
        "two",
    ),
    "llm-default/prober-default": ({}, "one"),
    "llm-monitoring/prober-monitoring": ({}, "one"),
    "kube-system/dns": (DNS, "two"),
    "kube-system/bystander": ({}, "two"),
    "istio-system/istiod": (ISTIOD, "two"),
    "istio-system/bystander": ({}, "two"),
}
ENDS: dict[Who, End] = {
    Who.GATEWAY: PodEnd("llm", "gateway"),
    Who.PICKER: PodEnd("llm", "picker"),
    Who.SERVER: PodEnd("llm", "server"),
    Who.STRANGER: PodEnd("llm", "prober-stranger"),
    Who.OTHER: PodEnd("llm-other", "prober-other"),
    Who.FAR: PodEnd("llm-other", "prober-far"),
    Who.DEFAULT: PodEnd("llm-default", "prober-default"),
    Who.MONITORING: PodEnd("llm-monitoring", "prober-monitoring"),
    Who.OUTSIDE: Address("172.16.1.2"),
}


def world(found: Iterable[Object]) -> World:
    """All pods, with these policies."""
    pods = [
        pod(name, f"10.0.{1 if node == 'one' else 2}.{index + 1}", labels=labels, node=node)
        for index, (name, (labels, node)) in enumerate(sorted(_PODS.items()))
    ]
    spaces = sorted({name.partition("/")[0] for name in _PODS})
    return World([namespace(each) for each in spaces], pods, list(found))


def around(found: Sequence[Object] | None = None, facts: Facts = FACTS) -> Around:
    """The service and what is around it, with its own policies or others."""
    here = world(policies(facts) if found is None else found)
    by_name = {f"{each['metadata']['namespace']}/{each['metadata']['name']}": each for each in here.pods}
    return Around(
        here,
        facts,
        by_name["llm/server"],
        by_name["llm/picker"],
        "10.96.0.10",
        "198.51.100.1",
        by_name["llm/gateway"],
        by_name["istio-system/istiod"],
        (by_name["llm-other/prober-other"], 8080),
        (by_name["llm/prober-stranger"], 8080),
        OUTSIDE,
    )


def table(
    found: Sequence[Object] | None = None, changed: dict[Cell, Verdict] | None = None, facts: Facts = FACTS
) -> Table:
    """The table as the policies have it, but for changed verdicts."""
    here = around(found, facts)
    rows = [
        _seen(here.world, (who, target.what), end, target, changed or {})
        for target in targets(here)
        for who in Who
        if promised(here.shape, (who, target.what)) or (who in (Who.OTHER, Who.DEFAULT) and target.what in OUTWARDS)
        if (end := ENDS.get(who) or NodeEnd(target.node)) not in {at for at, _ in target.ends}
    ]
    return Table(here.shape, rows)


def _seen(here: World, cell: Cell, end: End, target: Target, changed: dict[Cell, Verdict]) -> Seen:
    said = word(here, end, target)
    verdict = changed.get(cell, Verdict.ALLOWED if said.open else Verdict.DROPPED)
    return Seen(cell, str(end), end, target, verdict, said)
