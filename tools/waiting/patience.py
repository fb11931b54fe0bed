"""How long is waited: a budget, or less of it while a fault is proved to be in effect."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tools.waiting.timeouts import OPTION, Budget

_most: ContextVar[float | None] = ContextVar("most", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Cap the budget of every wait that this thread enters inside; an outer, smaller cap still counts.

    What a case waits for cannot come while its fault is in effect, and need not be waited for in full. Threads that are
    started inside do not inherit it. `consistently` does not shrink: what it looks at for a while may break late.
    """
    outer = _most.get()
    token = _most.set(seconds if outer is None else min(outer, seconds))
    try:
        yield
    finally:
        _most.reset(token)


@contextmanager
def unhurried() -> Iterator[None]:
    """Lift the cap for what a case needs before it can look at anything, which comes in spite of the fault."""
    token = _most.set(None)
    try:
        yield
    finally:
        _most.reset(token)


@dataclass(frozen=True)
class Limit:
    """How long one wait may take.

    Attributes:
        seconds: as it is.
        full: as it would be without `patience`.
        name: of the timeout that says so; empty if none does.
    """

    seconds: float
    full: float
    name: str = ""

    def __str__(self) -> str:
        if self.seconds < self.full:
            return f"within {self.seconds:g} s (of {self.full:g} s: a fault is in effect)"
        changed = f" ({OPTION} {self.name}=SECONDS changes it)" if self.name else ""
        return f"within {self.seconds:g} s{changed}"


def limit(budget: float) -> Limit:
    """The limit of a wait that is entered now with this budget."""
    most = _most.get()
    full = float(budget)
    name = budget.name if isinstance(budget, Budget) else ""
    return Limit(full if most is None else min(most, full), full, name)
