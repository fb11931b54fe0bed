"""Looking on for a while: an assertion that has to hold all the time."""

from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception, retry_if_result, stop_after_delay

from tools.explain import Violation
from tools.kube.errors import KubeError
from tools.waiting.failure import NotHeld
from tools.waiting.history import History, NotObserved, passes_by

_PAUSE = 0.5


@dataclass(frozen=True)
class Held:
    """How it was looked at.

    Attributes:
        what: in words.
        seconds: for how long.
        times: how many times it was seen to hold.
    """

    what: str
    seconds: float
    times: int


def consistently(what: str, assertion: Callable[[], None], *, for_seconds: float, pause: float = _PAUSE) -> Held:
    """Look at an assertion again and again, at the beginning and at the end too; the first violation ends it.

    Args:
        what: in words, as the end of "expected: …".
        assertion: raises Violation when it does not hold; any other exception ends it as well.
        for_seconds: for how long; `patience` does not shorten it, because it may break late.
        pause: seconds between two looks.

    Raises:
        NotHeld: it did not hold once.
        NotObserved: the API server did not answer for more than half of the time at a stretch, so nothing can be said.
    """
    __tracebackhide__ = True
    watching = _Watching(assertion)
    retrying = Retrying(
        stop=stop_after_delay(for_seconds),
        wait=_until_the_end(watching.history, for_seconds, pause),
        # What held is looked at again, and what could not be looked at.
        retry=retry_if_result(lambda _: True) | retry_if_exception(_is_unanswered),
        retry_error_callback=lambda _: None,
    )
    try:
        retrying(watching.look)
    except Violation as error:
        raise NotHeld(what, for_seconds, error, watching.history.seconds, watching.told()) from None
    if watching.longest_gap > for_seconds / 2:
        raise NotObserved(
            f"looking whether {what} for {for_seconds:g} s", 0, f"the API server did not answer\n{watching.told()}"
        )
    return Held(what, watching.history.seconds, watching.times)


class _Watching:
    """Looks, and remembers.

    Attributes:
        history: what was seen.
        times: how often it held.
        longest_gap: the longest time, in seconds, in which errors kept it from being seen.
    """

    def __init__(self, assertion: Callable[[], None]) -> None:
        self._assertion = assertion
        self.history = History()
        self.times = 0
        self.longest_gap = 0.0

    def look(self) -> None:
        try:
            self._assertion()
        except Violation as error:
            self.history.saw(error.observed)
            raise
        except KubeError as error:
            self.longest_gap = max(self.longest_gap, self.history.unseen)
            self.history.failed(error)
            raise
        self.times += 1
        self.history.saw("it held")

    def told(self) -> str:
        return f"{'looked:':<16}{self.history.seconds:.1f} s, held {self.times} times\n{self.history.lines()}"


def _is_unanswered(error: BaseException) -> bool:
    return isinstance(error, KubeError) and passes_by(error)


def _until_the_end(history: History, seconds: float, pause: float) -> Callable[[RetryCallState], float]:
    return lambda _: max(0.0, min(pause, seconds - history.seconds))
