"""Following objects: a list, then a watch, and from the beginning again when the watch is lost."""

import queue
import threading
import time
from dataclasses import dataclass

from tools.kube.client import Kube, Listing, Object, Watch
from tools.kube.errors import Gone, KubeError
from tools.kube.kinds import Kind
from tools.waiting.history import passes_by

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
# A watch begun at the end of the budget may still bring what happened within it.
_GRACE_SECONDS = 5.0


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
class Lost:
    """The objects were out of sight for a while, because of this."""

    error: KubeError


# The objects by name; that they are out of sight; what ended the following.
Change = dict[str, Object] | Lost | BaseException


class Follower:
    """Lists, then watches, in a thread of its own.

    Attributes:
        changes: what happened, the objects as they are at the beginning first.

    Args:
        kube: the cluster.
        selection: what is followed.
        seconds: for how long at most.
    """

    def __init__(self, kube: Kube, selection: Selection, seconds: float) -> None:
        self.changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._kube, self._selection = kube, selection
        self._ends = time.monotonic() + seconds + _GRACE_SECONDS
        self._watch: Watch | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {selection}", daemon=True)
        self._pause = _FIRST_PAUSE

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it, in the middle of a watch too."""
        self._stopped.set()
        with self._lock:
            if self._watch is not None:
                self._watch.close()
        self._thread.join(timeout=5)

    def look(self) -> list[Object]:
        """The objects as they are now, read by the caller."""
        return self._listing().items

    def describe(self) -> str:
        """A command that tells more about them."""
        chosen = self._selection
        words = ["-n", chosen.namespace] if chosen.namespace else []
        described = chosen.name or (f"-l{chosen.labels}" if chosen.labels else "")
        return self._kube.kubectl(*words, "describe", chosen.kind.resource, *[described] * bool(described))

    def _listing(self) -> Listing:
        chosen = self._selection
        return self._kube.listing(chosen.kind, chosen.namespace, labels=chosen.labels, fields=chosen.fields)

    def _run(self) -> None:
        try:
            while self._goes_on():
                try:
                    self._follow()
                except KubeError as error:
                    # The server forgot the version (410), or does not answer: begin with a list again.
                    if not (isinstance(error, Gone) or passes_by(error)):
                        raise
                    if self._goes_on():
                        self.changes.put(Lost(error))
                self._stopped.wait(self._pause)
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        except BaseException as error:
            if not self._stopped.is_set():
                self.changes.put(error)

    def _goes_on(self) -> bool:
        return not self._stopped.is_set() and time.monotonic() < self._ends

    def _follow(self) -> None:
        """List and watch until the server ends the watch."""
        chosen = self._selection
        listing = self._listing()
        known = {_key(item): item for item in listing.items}
        self.changes.put(dict(known))
        watch = self._kube.watch(
            chosen.kind,
            chosen.namespace,
            listing.resource_version,
            labels=chosen.labels,
            fields=chosen.fields,
            seconds=self._ends - time.monotonic(),
        )
        with self._lock:
            self._watch = watch
            if self._stopped.is_set():
                watch.close()
        for event, item in watch:
            self._pause = _FIRST_PAUSE  # it works again
            if event == "BOOKMARK":
                continue
            known.pop(_key(item), None)
            if event != "DELETED":
                known[_key(item)] = item
            self.changes.put(dict(known))


def _key(item: Object) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
