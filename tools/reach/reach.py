"""Measures the table for a service: reads what is around it, connects from everywhere, asks the oracle."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from tools.kube import gateways, pods
from tools.kube.client import Object
from tools.kube.doors import outside_of
from tools.kube.kinds import SERVICE
from tools.kube.llm_service import LlmService
from tools.netpolicy.flows import members
from tools.netpolicy.reading import Found, read
from tools.netpolicy.world import PodEnd, World
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import OUTWARDS, Cell, Target, What, Who
from tools.reach.lookalike import lookalikes
from tools.reach.netns import Networks
from tools.reach.pod_source import PodSource
from tools.reach.probers import PORT, Probers
from tools.reach.promise import promised
from tools.reach.source import Source, measure
from tools.reach.table import Seen, Table
from tools.reach.targets import Around, targets
from tools.reach.word import word

Wanted = Callable[[Cell], bool]
Sources = dict[tuple[Who, str], Source]
# Their namespaces have no policies: what they do not reach is not there.
_CONTROLS = (Who.OTHER, Who.DEFAULT)


@dataclass(frozen=True)
class Reach:
    """The table of a service.

    Attributes:
        service: whose.
        networks: the networks of the pods, on the local cluster; None elsewhere.
    """

    service: LlmService
    networks: Networks | None

    def table(self, wanted: Wanted = lambda _: True) -> Table:
        """Measure it now.

        Args:
            wanted: which cells; what shows that their targets are there is asked as well.
        """
        around, probers = self._around()
        with self._sources(around, probers) as (sources, left_out):
            asked: dict[Source, list[tuple[Cell, Target]]] = defaultdict(list)
            for cell, target in _cells(around, wanted):
                source = sources.get((cell[0], target.node if cell[0] is Who.NODE else ""))
                if source is not None and source.end not in {end for end, _ in target.ends}:
                    asked[source].append((cell, target))
            # Look-alikes are there by now.
            world = around.world if self.networks is not None else read(self.service).world
            found = measure({source: [target for _, target in rows] for source, rows in asked.items()})
        rows = [
            _seen(world, source, cell, target, found[source, target])
            for source, cells in asked.items()
            for cell, target in cells
        ]
        return Table(around.shape, sorted(rows, key=lambda each: _order(each.cell)), left_out)

    def prober(self, who: Who) -> PodSource:
        """One of the prober pods.

        Raises:
            ProbeFailed: it is not there.
        """
        pod = Probers(self.service).found().get(who)
        if pod is None:
            raise ProbeFailed(f"there is no prober {who}")
        return _of_pod(self.service, pod)

    def _around(self) -> tuple[Around, dict[Who, Object]]:
        service = self.service
        server = next((each for each in service.servers() if pods.is_ready(each)), service.servers()[0])
        pickers = service.picker_pods()
        picker = next((each for each in pickers if pods.is_ready(each)), None)
        probers = Probers(service).found()
        found = read(service)
        tenant, stranger = probers.get(Who.OTHER), probers.get(Who.STRANGER)
        istiods = members(found.world, found.facts.istiod)
        gateway = next(iter(members(found.world, found.facts.gateway)), None)
        addresses = [value for _, value in gateways.addresses(service.read_gateway())]
        around = Around(
            found.world,
            found.facts,
            server,
            picker,
            self._dns(found),
            addresses[0] if addresses else "",
            _pod(found.world, gateway) if gateway else None,
            _pod(found.world, istiods[0]) if istiods else None,
            (tenant, PORT) if tenant is not None else None,
            (stranger, PORT) if stranger is not None else None,
            outside_of(service.kube),
            monitored=self.networks is not None and bool(_monitoring(found)),
        )
        return around, probers

    def _dns(self, found: Found) -> str:
        dns = found.facts.dns.pods
        if dns is None:
            return ""
        services = self.service.kube.objects(SERVICE, dns.namespace)
        return next((each["spec"]["clusterIP"] for each in services if each["spec"].get("selector") == dns.labels), "")

    @contextmanager
    def _sources(self, around: Around, probers: dict[Who, Object]) -> Iterator[tuple[Sources, tuple[str, ...]]]:
        """Sources by who they are, those on nodes by node as well; and what cannot be had."""
        found: Sources = {(who, ""): _of_pod(self.service, pod) for who, pod in probers.items()}
        if self.networks is not None:
            more, left_out = _all_inside(self.networks, around)
            yield found | more, left_out
            return
        own = {
            who: pod
            for who, pod in _own_pods(around).items()
            if pod is not None and pod["metadata"]["namespace"] == self.service.namespace
        }
        left_out = ("node, outside: only on the local cluster",)
        if not probers:
            yield found, left_out
            return
        with lookalikes(self.service.kube, next(iter(probers.values())), own) as alike:
            yield found | {(who, ""): source for who, source in alike.items()}, left_out


def _of_pod(service: LlmService, pod: Object) -> PodSource:
    return PodSource(service.kube, PodEnd(pod["metadata"]["namespace"], pod["metadata"]["name"]))


def _own_pods(around: Around) -> dict[Who, Object | None]:
    return {Who.GATEWAY: around.gateway, Who.PICKER: around.picker, Who.SERVER: around.server}


def _pod(world: World, end: PodEnd) -> Object:
    return next(
        each
        for each in world.pods
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == (end.namespace, end.name)
    )


def _all_inside(networks: Networks, around: Around) -> tuple[Sources, tuple[str, ...]]:
    found: Sources = {}
    left_out = []
    for key, make in _inside(networks, around):
        try:
            found[key] = make()
        except (ProbeFailed, LookupError) as error:
            left_out.append(f"{key[0]}: {error}")
    return found, tuple(left_out)


def _inside(networks: Networks, around: Around) -> Iterator[tuple[tuple[Who, str], Callable[[], Source]]]:
    """Sources that are inside of others' networks."""
    monitoring = _monitoring(Found(around.world, around.facts))
    chosen = _own_pods(around) | {Who.MONITORING: _pod(around.world, monitoring) if monitoring else None}
    for who, pod in chosen.items():
        if pod is not None:
            yield (who, ""), partial(networks.of_pod, pod)
    asked = [*_own_pods(around).values(), around.stranger[0] if around.stranger else None]
    for node in sorted({each["spec"]["nodeName"] for each in asked if each is not None}):
        yield (Who.NODE, node), partial(networks.of_node, node)
    yield (Who.OUTSIDE, ""), networks.outside


def _monitoring(found: Found) -> PodEnd | None:
    ends = [end for each in found.facts.monitoring for end in members(found.world, each)]
    return ends[0] if ends else None


def _cells(around: Around, wanted: Wanted) -> Iterator[tuple[Cell, Target]]:
    """Cells that are wanted and promised, and those that show that their targets are there."""
    for target in targets(around):
        rows = [who for who in Who if wanted((who, target.what)) and promised(around.shape, (who, target.what))]
        if rows and target.what in OUTWARDS:
            rows += [who for who in _CONTROLS if who not in rows]
        elif rows and target.what not in (What.BALANCER, What.BALANCER_TLS):
            rows += [who for who in (Who.NODE, Who.GATEWAY) if who not in rows]
        for who in rows:
            yield (who, target.what), target


def _seen(world: World, source: Source, cell: Cell, target: Target, verdict: Verdict) -> Seen:
    return Seen(cell, source.name, source.end, target, verdict, word(world, source.end, target))


def _order(cell: Cell) -> tuple[int, int]:
    return list(Who).index(cell[0]), list(What).index(cell[1])
