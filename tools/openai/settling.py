"""Waiting for the data plane, which has no watch: the whole expectation, several times in a row, within a budget."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from tools.explain import Violation

IN_A_ROW = 3


@dataclass(frozen=True)
class Settled:
    """How long it took.

    Attributes:
        what: in words.
        seconds: until the first of the good ones in a row had ended well.
        budget: how long it might have taken, in seconds.
        tries: how many times it did not hold before.
    """

    what: str
    seconds: float
    budget: float
    tries: int


def settle(what: str, expectation: Callable[[], None], *, budget: float, in_a_row: int = IN_A_ROW) -> Settled:
    """Wait until an expectation holds several times in a row; wait longer after each failure, up to two seconds.

    Args:
        what: in words.
        expectation: raises Violation while it does not hold; any other exception ends the waiting.
        budget: seconds.
        in_a_row: how often it has to hold.

    Raises:
        Violation: the last one, when the budget ran out.
    """
    started = time.monotonic()
    first = started

    def whole() -> None:
        nonlocal first
        for number in range(in_a_row):
            expectation()
            if number == 0:
                first = time.monotonic()

    retrying = Retrying(
        stop=stop_after_delay(budget),
        wait=wait_exponential(multiplier=0.1, max=2),
        retry=retry_if_exception_type(Violation),
        reraise=True,
    )
    retrying(whole)
    return Settled(what, first - started, budget, retrying.statistics["attempt_number"] - 1)
