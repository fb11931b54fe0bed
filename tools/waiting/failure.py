"""Failures of waits: what was expected within which budget, what was seen last and before, and what to do next."""

from tools.explain import Violation
from tools.waiting.patience import Limit


class NotSettled(Violation):
    """It did not hold within its budget.

    Args:
        what: what was waited for.
        bound: how long it might have taken.
        observed: what is wrong; by default what the last violation observed.
        last: the last violation, if there was one.
        age: how long ago that was, in seconds.
        told: how it was waited, and what was seen.
    """

    def __init__(self, what: str, bound: Limit, observed: str, last: Violation | None, age: float, told: str) -> None:
        self.what = what
        self.bound = bound
        seen = observed or f"{last.observed if last else ''} (seen {age:.1f} s before the end)"
        super().__init__(
            f"{what} {bound}" + (f": {last.expected}" if last else ""),
            seen,
            cause=last.cause if last else "",
            next_step=last.next_step if last else "",
            details="\n\n".join(part for part in (told, last.details if last else "") if part),
        )


class NotHeld(Violation):
    """It was to hold all the time, and did not once.

    Args:
        what: what was to hold.
        seconds: for how long.
        last: the violation.
        held: for how long it had held, in seconds.
        told: how it was looked at, and what was seen.
    """

    def __init__(self, what: str, seconds: float, last: Violation, held: float, told: str) -> None:
        self.what = what
        super().__init__(
            f"{what}, all the time, for {seconds:g} s: {last.expected}",
            f"{last.observed} (after {held:.1f} s)",
            cause=last.cause,
            next_step=last.next_step,
            details="\n\n".join(part for part in (told, last.details) if part),
        )
