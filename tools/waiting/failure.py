"""Failures of waits: what was expected within which budget, what was seen last and before, and what to do next."""

from tools.explain import Violation
from tools.waiting.patience import Limit

_LABEL_WIDTH = 16


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
        rows, details = taken_apart(last) if last else ({}, "")
        seen = observed or f"{rows.get('observed', '')} (seen {age:.1f} s before the end)"
        expected = f"{what} {bound}" + (f": {rows['expected']}" if "expected" in rows else "")
        super().__init__(
            expected,
            seen,
            cause=rows.get("probable cause", ""),
            next_step=rows.get("next", ""),
            details="\n\n".join(part for part in (told, details) if part),
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
        rows, details = taken_apart(last)
        super().__init__(
            f"{what}, all the time, for {seconds:g} s: {rows['expected']}",
            f"{rows['observed']} (after {held:.1f} s)",
            cause=rows.get("probable cause", ""),
            next_step=rows.get("next", ""),
            details="\n\n".join(part for part in (told, details) if part),
        )


def taken_apart(error: Violation) -> tuple[dict[str, str], str]:
    """The rows of a violation's text by their label, and the details below them."""
    text, _, details = str(error).removeprefix("\n").partition("\n\n")
    rows: dict[str, str] = {}
    label = ""
    for line in text.split("\n"):
        if line[:_LABEL_WIDTH].strip():
            label = line[:_LABEL_WIDTH].strip().removesuffix(":")
            rows[label] = line[_LABEL_WIDTH:]
        else:
            rows[label] += "\n" + line[_LABEL_WIDTH:]
    return rows, details
