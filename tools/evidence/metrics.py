"""Counters of the servers and pickers before and after: which of them moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.evidence import scope
from tools.evidence.reading import Reader, Unread, guarded
from tools.evidence.subject import Subject
from tools.evidence.text import table
from tools.kube.client import Kube, Object
from tools.kube.kinds import POD
from tools.metrics import picker, vllm
from tools.metrics.exposition import Exposition
from tools.metrics.scrape import server_port
from tools.secret import Secret

Scrapes = Mapping[str, Exposition]

_SERVER = {"kserve.io/component": "workload"}

# Of the programs' runtimes and libraries, which move all the time.
_NOISE = (
    "process_",
    "python_",
    "go_",
    "rest_client_",
    "controller_runtime_",
    "workqueue_",
    "certwatcher_",
    "apiserver_",
)
# Counts of histograms say the same once more.
_COUNTER = "_total"


@dataclass(frozen=True)
class Moved:
    """A counter that moved.

    Attributes:
        name: of the sample.
        labels: of the sample.
        before, after: its values; a counter with labels appears with its first event, so it was 0 before.
    """

    name: str
    labels: Mapping[str, str]
    before: float
    after: float


def metrics_diff(before: Exposition, after: Exposition) -> list[Moved]:
    """Counters that differ between two scrapes of one pod, those that began anew included. Pure."""
    old = {(each.name, frozenset(each.labels.items())): each.value for each in before.samples}
    moved = [
        Moved(each.name, each.labels, old.get((each.name, frozenset(each.labels.items())), 0.0), each.value)
        for each in after.samples
        if each.name.endswith(_COUNTER) and not each.name.startswith(_NOISE)
    ]
    return [each for each in moved if each.before != each.after]


def scrape(kube: Kube, subject: Subject, token: Secret | None = None) -> Scrapes:
    """Metrics of the service's servers and pickers by pod, as far as they can be had.

    Args:
        kube: the cluster.
        subject: the service.
        token: may read the picker's metrics; without one they are left out.
    """
    found: dict[str, Exposition] = {}
    for _ in _scraped(Reader(kube), subject, token, found):
        pass
    return found


def moved(reader: Reader, subject: Subject, before: Scrapes | None, token: Secret | None) -> Iterator[str]:
    """Counters that moved since `before`; where that was not taken, the core metrics as they are."""
    after: dict[str, Exposition] = {}
    yield from guarded(lambda: _scraped(reader, subject, token, after))
    yield from told(before, after) if before is not None else current(after)


def _scraped(reader: Reader, subject: Subject, token: Secret | None, found: dict[str, Exposition]) -> Iterator[str]:
    """Put scrapes into `found`; yields why a pod has none."""
    pickers = {pod["metadata"]["name"] for pod in scope.picker_pods(reader, subject)}
    servers = [pod for pod in scope.objects(reader, subject, POD) if _SERVER.items() <= _labels(pod).items()]
    asked: list[tuple[Object, int, Secret | None]] = [(pod, server_port(pod), None) for pod in servers]
    asked += [(pod, picker.PORT, token) for pod in scope.picker_pods(reader, subject)]
    for pod, port, key in asked:
        name = pod["metadata"]["name"]
        if name in pickers and not key:
            yield f"{name}: no token to read the picker's metrics with"
            continue
        headers = {"Authorization": Secret(f"Bearer {key}")} if key else None
        try:
            found[name] = Exposition(reader.ask_pod(subject.namespace, name, port, "/metrics", headers))
        except (Unread, ValueError) as error:
            yield f"{name}: {error}"


def current(found: Scrapes) -> Iterator[str]:
    """Core metrics as they are now, for a case before which none were taken. Pure."""
    names = {name for names in (*vllm.CORE.values(), picker.REQUESTS, picker.READY_PODS) for name in names}
    rows = [
        (pod, f"{each.value:g}", _name(each.name, each.labels))
        for pod, exposition in found.items()
        for each in exposition.samples
        if each.name in names and each.value and not each.name.endswith("_info")
    ]
    yield table(("POD", "NOW", "METRIC"), rows)


def told(before: Mapping[str, Exposition], after: Mapping[str, Exposition]) -> Iterator[str]:
    """Differences by pod: counters that moved, pods that came and went. Pure."""
    rows = []
    for pod, found in after.items():
        if pod not in before:
            yield f"{pod}: not there before"
        for each in metrics_diff(before.get(pod, Exposition("")), found):
            step = f"+{each.after - each.before:g}" if each.after > each.before else "began anew: restarted?"
            rows.append((pod, step, f"{each.before:g}", f"{each.after:g}", _name(each.name, each.labels)))
    yield table(("POD", "MOVED", "BEFORE", "AFTER", "COUNTER"), rows) or "no counter moved"
    yield from (f"{pod}: not there any more, or could not be asked" for pod in before if pod not in after)


def _name(name: str, labels: Mapping[str, str]) -> str:
    told = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{told}}}" if told else name


def _labels(pod: Object) -> dict[str, str]:
    return pod["metadata"].get("labels") or {}
