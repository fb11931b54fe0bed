"""Waiting for objects to become as they should, by watch: once, with a budget, recorded as a number."""

import queue
from collections.abc import Callable
from dataclasses import dataclass

from tools.explain import Violation
from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.following import Follower, Lost, Selection
from tools.waiting.history import History, NotObserved, passes_by
from tools.waiting.patience import Limit, limit

__all__ = ["Alive", "Converged", "Decide", "Hopeless", "NotConverged", "Selection", "converge", "gone"]

# Given the objects as they are now: what is still lacking, or nothing.
Decide = Callable[[list[Object]], str]
# Raises when the cluster itself is broken.
Alive = Callable[[], None]
# Why waiting is of no use any more; empty while it is.
Hopeless = Callable[[], str]

_ALIVE_EVERY_SECONDS = 1.0


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
        self, what: str, lacking: str, last: list[Object], bound: Limit, next_step: str, history: History
    ) -> None:
        self.last = last
        self.lacking = lacking
        self.seconds = history.seconds
        self.budget = bound.seconds
        observed = f"after {self.seconds:.1f} s: {lacking}"
        super().__init__(f"{what} {bound}", observed, next_step=next_step, details=history.lines())

    def because(self, cause: str, observed: str, next_step: str) -> None:
        """Add what looking further has shown: the probable cause, lines that tell it, and a better next command."""
        seen = "\n".join([self.observed, *observed.splitlines()])
        Violation.__init__(self, self.expected, seen, cause=cause, next_step=next_step, details=self.details)


def converge(
    kube: Kube,
    what: str,
    selection: Selection,
    decide: Decide,
    *,
    budget: float,
    alive: Alive = lambda: None,
    hopeless: Hopeless = lambda: "",
) -> Converged:
    """Wait until `decide` lacks nothing.

    A watch that ends, and an API server that does not answer, are remembered and waited for: objects are listed again.

    Args:
        kube: the cluster.
        what: what is waited for, as the end of "expected: …".
        selection: the objects to watch.
        decide: called at once and after every change.
        budget: seconds, from `timeouts.seconds(NAME)`; what takes longer has failed. `patience` may shorten it.
        alive: asked every second, so that a dead component is told at once and not after the budget.
        hopeless: asked every second as well: what cannot come is not waited for.

    Raises:
        NotConverged: the budget ran out, or waiting for its end is of no use.
        NotObserved: it did, and the API server did not answer at the end of it, so nothing can be said.
        KubeError: the API server refused to show the objects.
    """
    bound, history = limit(budget), History()
    follower = Follower(kube, selection, bound.seconds)
    follower.start()
    try:
        while (left := bound.seconds - history.seconds) > 0:
            try:
                change = follower.changes.get(timeout=min(left, _ALIVE_EVERY_SECONDS))
            except queue.Empty:
                alive()
                if why := hopeless():
                    history.saw(f"waiting was given up: {why}")
                    break
                continue
            if isinstance(change, Lost):
                history.failed(change.error)
                alive()
            elif isinstance(change, BaseException):
                alive()
                raise change
            elif lacking := decide(list(change.values())):
                history.saw(lacking)
            else:
                return Converged(what, history.seconds, bound.seconds, list(change.values()))
    finally:
        follower.stop()
    return _at_the_end(what, follower, decide, bound, history)


def _at_the_end(what: str, follower: Follower, decide: Decide, bound: Limit, history: History) -> Converged:
    """Look once more, without the watch: one that hangs would tell nothing, and that is not the objects' fault."""
    seconds = history.seconds
    try:
        objects = follower.look()
    except KubeError as error:
        if not passes_by(error):
            raise
        history.failed(error)
        raise NotObserved(f"waiting for {what} {bound}", 0, f"no answer at the end\n{history.lines()}") from None
    if not (lacking := decide(objects)):
        return Converged(what, seconds, bound.seconds, objects)
    history.saw(lacking)
    raise NotConverged(what, lacking, objects, bound, follower.describe(), history)


def gone(objects: list[Object]) -> str:
    """A decision: nothing of it is left."""
    if not objects:
        return ""
    names = ", ".join(item["metadata"]["name"] for item in objects)
    finalizers = sorted({each for item in objects for each in item["metadata"].get("finalizers", [])})
    waits = f" (finalizers: {', '.join(finalizers)})" if finalizers else ""
    return f"still there: {names}{waits}"
