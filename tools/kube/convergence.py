"""Waiting for objects to become as they should, by watch: once, with a budget, recorded as a number."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.explain import Violation
from tools.kube.client import Kube, Object, Watch
from tools.kube.errors import Gone
from tools.kube.kinds import Kind

# Given the objects as they are now: what is still lacking, or nothing.
Decide = Callable[[list[Object]], str]
# Raises when the cluster itself is broken.
Alive = Callable[[], None]

_ALIVE_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Selection:
    """Objects that are watched together.

    Attributes:
        kind, namespace: where.
        name: one object only.
        labels: label selector.
    """

    kind: Kind
    namespace: str = ""
    name: str = ""
    labels: str = ""

    @property
    def fields(self) -> str:
        """The field selector that `name` means."""
        return f"metadata.name={self.name}" if self.name else ""

    def __str__(self) -> str:
        chosen = self.name or (f"with {self.labels}" if self.labels else "(all)")
        return f"{self.kind.kind} {chosen}" + (f" in {self.namespace}" if self.namespace else "")


@dataclass(frozen=True)
class Converged:
    """It became as it should.

    Attributes:
        what: in words.
        seconds: how long it took.
        budget: how long it might have taken, in seconds.
        objects: as they were then.
    """

    what: str
    seconds: float
    budget: float
    objects: list[Object]


class NotConverged(Violation):
    """It did not become as it should within its budget.

    Attributes:
        last: the objects as last seen.
        lacking: what was lacking then.
        seconds: how long it was waited for.
        budget: how long it might have taken.
    """

    def __init__(
        self, what: str, lacking: str, last: list[Object], budget: float, next_step: str, seconds: float
    ) -> None:
        self.last = last
        self.lacking = lacking
        self.seconds = seconds
        self.budget = budget
        super().__init__(f"{what} within {budget:.0f} s", f"after {seconds:.1f} s: {lacking}", next_step=next_step)


def converge(
    kube: Kube, what: str, selection: Selection, decide: Decide, *, budget: float, alive: Alive = lambda: None
) -> Converged:
    """Wait until `decide` lacks nothing.

    Args:
        kube: the cluster.
        what: what is waited for, as the end of "expected: …".
        selection: the objects to watch.
        decide: called at once and after every change.
        budget: seconds; what takes longer has failed.
        alive: asked every second, so that a dead component is told at once and not after the budget.

    Raises:
        NotConverged: the budget ran out.
        KubeError: the API server could not be watched.
    """
    started = time.monotonic()
    changes: queue.SimpleQueue[dict[str, Object] | BaseException] = queue.SimpleQueue()
    follower = _Follower(kube, selection, budget, changes.put)
    objects: list[Object] = []
    lacking = "nothing was read yet"
    follower.start()
    try:
        while True:
            left = budget - (time.monotonic() - started)
            try:
                change = changes.get(timeout=max(0.0, min(left, _ALIVE_EVERY_SECONDS)))
            except queue.Empty:
                alive()
                if left <= 0:
                    words = ["-n", selection.namespace] if selection.namespace else []
                    described = selection.name or (f"-l{selection.labels}" if selection.labels else "")
                    command = kube.kubectl(*words, "describe", selection.kind.resource, *[described] * bool(described))
                    waited = time.monotonic() - started
                    raise NotConverged(what, lacking, objects, budget, command, waited) from None
                continue
            if isinstance(change, BaseException):
                alive()
                raise change
            objects = list(change.values())
            if not (lacking := decide(objects)):
                return Converged(what, time.monotonic() - started, budget, objects)
    finally:
        follower.stop()


class _Follower:
    """Lists, then watches, in a thread of its own; hands over the objects by name after every change."""

    def __init__(self, kube: Kube, selection: Selection, seconds: float, put: Callable[[Any], None]) -> None:
        self._kube, self._selection, self._put = kube, selection, put
        self._ends = time.monotonic() + seconds + 5
        self._watch: Watch | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"watch {selection}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._watch is not None:
                self._watch.close()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            while not self._stopped and time.monotonic() < self._ends:
                try:
                    self._follow()
                except Gone:
                    continue  # the server forgot the version: begin with a list again
        except BaseException as error:
            if not self._stopped:
                self._put(error)

    def _follow(self) -> None:
        chosen = self._selection
        listing = self._kube.listing(chosen.kind, chosen.namespace, labels=chosen.labels, fields=chosen.fields)
        known = {_key(item): item for item in listing.items}
        version = listing.resource_version
        self._put(dict(known))
        while not self._stopped and time.monotonic() < self._ends:
            watch = self._kube.watch(
                chosen.kind,
                chosen.namespace,
                version,
                labels=chosen.labels,
                fields=chosen.fields,
                seconds=self._ends - time.monotonic(),
            )
            with self._lock:
                self._watch = watch
                if self._stopped:
                    watch.close()
            for event, item in watch:
                version = item["metadata"]["resourceVersion"]
                if event == "BOOKMARK":
                    continue
                known.pop(_key(item), None)
                if event != "DELETED":
                    known[_key(item)] = item
                self._put(dict(known))


def _key(item: Object) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def gone(objects: list[Object]) -> str:
    """A decision: nothing of it is left."""
    if not objects:
        return ""
    names = ", ".join(item["metadata"]["name"] for item in objects)
    finalizers = sorted({each for item in objects for each in item["metadata"].get("finalizers", [])})
    waits = f" (finalizers: {', '.join(finalizers)})" if finalizers else ""
    return f"still there: {names}{waits}"
