"""Cases that ended the same way with the same words, such as all that rest on one service: told once."""

from dataclasses import dataclass

from tools.outcomes import Outcome
from tools.report.record import CaseRecord

# Somebody has to act on these; what is not supported or skipped was meant to be left out, and a known issue is known.
URGENT = (Outcome.FAILED, Outcome.BROKEN, Outcome.NOT_RUN)


@dataclass(frozen=True)
class Group:
    """One reason.

    Attributes:
        outcome: of all its cases.
        cases: one or more.
    """

    outcome: Outcome
    cases: tuple[CaseRecord, ...]


def groups(cases: list[CaseRecord]) -> list[Group]:
    """Cases by outcome and words, in the order in which each comes first."""
    found: dict[tuple[Outcome, str, str], list[CaseRecord]] = {}
    for each in cases:
        found.setdefault((each.outcome, each.message, each.details), []).append(each)
    return [Group(outcome, tuple(group)) for (outcome, _, _), group in found.items()]
