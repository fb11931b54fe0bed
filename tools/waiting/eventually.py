"""Waiting for what has no watch: a whole assertion, several times in a row, within a budget."""

from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

from tools.explain import Violation
from tools.kube.errors import KubeError
from tools.waiting.failure import NotSettled
from tools.waiting.history import History, NotObserved, passes_by
from tools.waiting.patience import Limit, limit

IN_A_ROW = 3
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


@dataclass(frozen=True)
class Settled:
    """How long it took.

    Attributes:
        what: in words.
        seconds: until the first of the good ones in a row had ended well.
        budget: how long it might have taken, in seconds.
        tries: how many times it did not hold, or could not be looked at, before.
    """

    what: str
    seconds: float
    budget: float
    tries: int


def eventually(
    what: str,
    assertion: Callable[[], None],
    *,
    budget: float,
    in_a_row: int = IN_A_ROW,
    alive: Callable[[], None] = lambda: None,
) -> Settled:
    """Wait until an assertion holds several times in a row.

    It is looked at again at once while it holds, and after a pause that grows to two seconds when it does not. An API
    server that does not answer is no verdict: it is remembered, breaks the row, and is waited for.

    Args:
        what: in words, as the end of "expected: …".
        assertion: raises Violation while it does not hold; any other exception ends the waiting.
        budget: seconds, from `timeouts.seconds(NAME)`; `patience` may shorten it.
        in_a_row: how often it has to hold.
        alive: asked after each failure, so that a dead cluster is told at once and not after the budget.

    Raises:
        NotSettled: it did not hold within the budget.
        NotObserved: the API server did not answer for most of the time, so nothing can be said.
    """
    __tracebackhide__ = True
    row = _Row(assertion, in_a_row, History(), alive)
    bound = limit(budget)
    retrying = Retrying(
        stop=stop_after_delay(bound.seconds),
        wait=_pauses(row.history, bound),
        retry=retry_if_exception(_is_not_yet),
        reraise=True,
    )
    try:
        retrying(row.run)
    except (Violation, KubeError) as error:
        if not _is_not_yet(error):
            raise
        raise row.failure(what, bound) from None
    if row.first > bound.seconds:
        raise row.failure(what, bound, f"it held first after {row.first:.1f} s, too late")
    return Settled(what, row.first, bound.seconds, row.attempts - 1)


class _Row:
    """Tries to hold several times in a row, again and again.

    Attributes:
        history: what was seen.
        attempts: rows that were begun.
        best: the longest row.
        first: when the current row began to hold.
    """

    def __init__(
        self, assertion: Callable[[], None], in_a_row: int, history: History, alive: Callable[[], None]
    ) -> None:
        self._assertion, self._in_a_row, self._alive = assertion, in_a_row, alive
        self._last: Violation | None = None
        self.history = history
        self.attempts = 0
        self.best = 0
        self.first = 0.0

    def run(self) -> None:
        self.attempts += 1
        for number in range(1, self._in_a_row + 1):
            self._look()
            self.history.saw("it held")
            self.best = max(self.best, number)
            if number == 1:
                self.first = self.history.seconds

    def failure(self, what: str, bound: Limit, observed: str = "") -> NotSettled | NotObserved:
        """Why it did not settle; that nothing can be said when it was not seen for more than half of the time."""
        streak = f"best streak {self.best} of {self._in_a_row}"
        waited = f"{'waited:':<16}{self.history.seconds:.1f} s, attempts: {self.attempts}, {streak}"
        told = f"{waited}\n{self.history.lines()}"
        if not observed and (self._last is None or self.history.unseen > bound.seconds / 2):
            return NotObserved(f"waiting for {what} {bound}", 0, f"the API server did not answer\n{told}")
        return NotSettled(what, bound, observed, self._last, self.history.unseen, told)

    def _look(self) -> None:
        try:
            self._assertion()
        except Violation as error:
            self._last = error
            self.history.saw(error.observed)
            self._alive()
            raise
        except KubeError as error:
            if passes_by(error):
                self.history.failed(error)
                self._alive()
            raise


def _is_not_yet(error: BaseException) -> bool:
    return isinstance(error, Violation) or (isinstance(error, KubeError) and passes_by(error))


def _pauses(history: History, bound: Limit) -> Callable[[RetryCallState], float]:
    """Longer and longer, and never beyond the budget's end, where it is looked at for the last time."""
    growing = wait_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE)
    return lambda state: max(0.0, min(growing(state), bound.seconds - history.seconds))
