"""What a run's profiles ask of it, and how much of that its cases answer."""

from tools.outcomes import Outcome
from tools.report.record import CaseRecord, ProfileRecord, RunRecord
from tools.report.tally import ANSWERED

BUDGETS = "budgets"


def executed(record: RunRecord, accelerator: str = "") -> list[CaseRecord]:
    """The cases that said something about the product, for one accelerator or all; each once, however often proved."""
    found = [each for each in record.cases if each.outcome in ANSWERED and accelerator in ("", each.accelerator)]
    return list({(each.name, each.accelerator): each for each in found}.values())


def unchecked(record: RunRecord) -> list[str]:
    """The keys of claims that no passed case checks, but for load budgets where a profile does without.

    The record does not say which of two profiles makes a claim: a run for two accelerators has to check it for both.
    """
    several = len(record.profiles) > 1
    return [
        f"{key} ({each.accelerator})" if several else key
        for key in record.claims
        for each in record.profiles
        if not is_checked(record, key, each.accelerator) and (key != BUDGETS or asks_for_budgets(each))
    ]


def is_checked(record: RunRecord, claim: str, accelerator: str) -> bool:
    """Whether a passed case checks a claim for an accelerator."""
    passed = (each for each in record.cases if each.outcome is Outcome.PASSED and each.accelerator == accelerator)
    return any(claim in each.checks for each in passed)


def is_unpromised(record: RunRecord, case: CaseRecord) -> bool:
    """Whether a case is not supported and checks only what no profile of the run claims: then nothing is missing."""
    promised = not case.checks or any(each in record.claims for each in case.checks)
    return case.outcome is Outcome.NOT_SUPPORTED and not promised


def asks_for_budgets(profile: ProfileRecord) -> bool:
    """Whether the profile's sign-off wants its load budgets measured and kept."""
    return bool(profile.signoff.get("budgets_certified", True))


def minimum(profile: ProfileRecord) -> int:
    """How many cases must be executed for the profile's sign-off; one, where it says nothing."""
    return int(profile.signoff.get("minimum_executed", 1))
