"""Measures the table for a service: reads what is around it, connects from everywhere, asks the oracle."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.kube.client import Object
from tools.kube.doors import outside_of
from tools.kube.llm_service import LlmService
from tools.netpolicy.reading import read
from tools.netpolicy.world import Address, End, NodeEnd, PodEnd, World
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import OUTWARDS, Cell, Target, What, Who
from tools.reach.elsewhere import Allowed, Sources, doors, sources
from tools.reach.inside import all_inside
from tools.reach.kubelet import ports_reached
from tools.reach.netns import Networks
from tools.reach.pod_source import PodSource
from tools.reach.probers import Probers
from tools.reach.promise import promised
from tools.reach.source import Source, measure
from tools.reach.surroundings import surroundings
from tools.reach.table import Seen, Table
from tools.reach.targets import Around, targets
from tools.reach.unasked import BALANCERS, unasked
from tools.reach.word import word

Wanted = Callable[[Cell], bool]
# Their namespaces have no policies: what they do not reach is not there.
_CONTROLS = (Who.OTHER, Who.DEFAULT)
# Of the service discard (RFC 863): agnhost does not listen there.
_NOBODY = 9
_ONE_NODE = "no second node takes pods"
_KUBELET = "its kubelet, whose readiness probe succeeds"


@dataclass(frozen=True)
class Reach:
    """The table of a service.

    Attributes:
        service: whose.
        networks: the networks of the pods, on the local cluster; None elsewhere.
        allowed: what may be done elsewhere.
        space: of the probers (`Probers.space`).
        template: a prober whose image and run look-alikes have, for a service that has no probers.
    """

    service: LlmService
    networks: Networks | None
    allowed: Allowed = field(default_factory=Allowed)
    space: str = ""
    template: Object | None = None

    @property
    def probers(self) -> Probers:
        """Those around the service."""
        return Probers(self.service, self.space)

    def table(self, wanted: Wanted = lambda _: True) -> Table:
        """Measure it now.

        Args:
            wanted: which cells; what shows that their targets are there is asked as well.

        Raises:
            ProbeFailed: there is no prober, and look-alikes are needed.
        """
        probers = self.probers.found()
        around = self._around(probers)
        with self._sources(around, probers) as found:
            asked: dict[Source, list[tuple[Cell, Target]]] = defaultdict(list)
            kubelets = []
            for cell, target in _cells(around, wanted):
                source = found.found.get((cell[0], target.node if cell[0] is Who.NODE else ""))
                if source is None:
                    kubelets += [(cell, target)] if _seen_by_kubelet(around, cell, target) else []
                elif source.end not in {end for end, _ in target.ends} and self._leads(cell):
                    asked[source].append((cell, target))
            # Look-alikes are there by now.
            world = around.world if self.networks is not None else read(self.service).world
            verdicts = measure({source: [target for _, target in rows] for source, rows in asked.items()})
        rows = [
            _seen(world, (source.name, source.end), cell, target, verdicts[source, target])
            for source, cells in asked.items()
            for cell, target in cells
        ]
        rows += [_seen(world, (_KUBELET, NodeEnd(to.node)), cell, to, Verdict.ALLOWED) for cell, to in kubelets]
        there = {each.cell for each in rows}
        not_asked = unasked(around, there, found.cannot, wanted) if self.networks is None else {}
        return Table(around.shape, sorted(rows, key=lambda each: _order(each.cell)), not_asked, found.failed)

    def of(self, other: LlmService) -> "Reach":
        """The table of another service of the same run, which has no probers of its own."""
        return Reach(other, self.networks, self.allowed, template=next(iter(self.probers.found().values()), None))

    def prober(self, who: Who) -> PodSource:
        """One of the prober pods.

        Raises:
            ProbeFailed: it is not there.
        """
        pod = self.probers.found().get(who)
        if pod is None:
            raise ProbeFailed(f"there is no prober {who}")
        return _of_pod(self.service, pod)

    def where_nobody_answers(self, *sources: Who) -> dict[PodSource, Target]:
        """For each of these probers something to connect to that does not answer.

        That is the cluster's stand-in for a silent address; where there is none, nothing leaves the cluster for it: a
        port of another prober, at which nobody listens.

        Args:
            sources: two probers at least.

        Raises:
            ProbeFailed: one is not there.
        """
        door, there = outside_of(self.service.kube).silent, self.probers.found()
        if lacking := [who for who in sources if who not in there]:
            raise ProbeFailed(f"there is no prober {', '.join(lacking)}")
        found = {}
        for who, other in zip(sources, (*sources[1:], sources[0]), strict=True):
            pod = there[other]
            end: End = Address(door.address) if door else Probers.end(pod)
            address, port = (door.address, door.port) if door else (pod["status"]["podIP"], _NOBODY)
            found[_of_pod(self.service, there[who])] = Target(What.INTERNET, address, port, "nobody", ((end, port),))
        return found

    def _around(self, probers: dict[Who, Object]) -> Around:
        kube, local = self.service.kube, self.networks is not None
        return surroundings(
            self.service, probers, outside_of(kube) if local else doors(kube, self.allowed), at_prometheus=local
        )

    @contextmanager
    def _sources(self, around: Around, probers: dict[Who, Object]) -> Iterator[Sources]:
        """Probers and all others that can be had, while entered."""
        ours: dict[tuple[Who, str], Source] = {(who, ""): _of_pod(self.service, pod) for who, pod in probers.items()}
        if self.networks is not None:
            found = all_inside(self.networks, around)
            yield Sources(ours | found.found, found.cannot, found.failed)
            return
        template = next(iter(probers.values()), self.template)
        if template is None:
            raise ProbeFailed(f"there is no prober around {self.service.namespace}/{self.service.name}")
        with sources(self.service.kube, self.allowed, around, template) as found:
            if Who.FAR not in probers:
                found.cannot[Who.FAR] = _ONE_NODE
            yield Sources(ours | found.found, found.cannot, found.failed)

    def _leads(self, cell: Cell) -> bool:
        """Whether there is a way: from outside of other clusters than the local one there need be none to pods."""
        return self.networks is not None or cell[0] is not Who.OUTSIDE or cell[1] in BALANCERS


def _of_pod(service: LlmService, pod: Object) -> PodSource:
    return PodSource(service.kube, PodEnd(pod["metadata"]["namespace"], pod["metadata"]["name"]))


def _seen_by_kubelet(around: Around, cell: Cell, target: Target) -> bool:
    pods = [*around.own.values(), *([around.stranger[0]] if around.stranger else [])]
    at = [each for each in pods if each["status"].get("podIP") == target.address]
    return cell[0] is Who.NODE and any(target.port in ports_reached(pod) for pod in at)


def _cells(around: Around, wanted: Wanted) -> Iterator[tuple[Cell, Target]]:
    """Cells that are wanted and promised, and those that show that their targets are there."""
    for target in targets(around):
        rows = [who for who in Who if wanted((who, target.what)) and promised(around.shape, (who, target.what))]
        if rows and target.what in OUTWARDS:
            rows += [who for who in _CONTROLS if who not in rows]
        elif rows and target.what not in BALANCERS:
            rows += [who for who in (Who.NODE, Who.GATEWAY) if who not in rows]
        for who in rows:
            yield (who, target.what), target


def _seen(world: World, source: tuple[str, End], cell: Cell, target: Target, verdict: Verdict) -> Seen:
    name, end = source
    return Seen(cell, name, end, target, verdict, word(world, end, target))


def _order(cell: Cell) -> tuple[int, int]:
    return list(Who).index(cell[0]), list(What).index(cell[1])
