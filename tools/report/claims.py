"""What the run found out about each claim of the profiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tools.outcomes import Outcome
from tools.report.record import CaseRecord, RunRecord
from tools.report.tally import ANSWERED, accelerators


class Standing(StrEnum):
    """What is known of a claim.

    Attributes:
        KEPT: every case that checks it passed.
        NOT_KEPT: a case that checks it failed, be it for a known issue.
        IN_PART: some of the cases that check it passed, the others gave no answer.
        NOT_CHECKED: no case gave an answer.
    """

    KEPT = "kept"
    NOT_KEPT = "not kept"
    IN_PART = "checked in part"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Claim:
    """A claim of the profiles for one accelerator.

    Attributes:
        key: its short name.
        accelerator: for which the cases ran.
        standing: what is known.
        cases: those that check it.
    """

    key: str
    accelerator: str
    standing: Standing
    cases: tuple[CaseRecord, ...]


def claimed(record: RunRecord, accelerator: str) -> Mapping[str, str]:
    """What is claimed for an accelerator, in words, by key."""
    profile = next((each for each in record.profiles if each.accelerator == accelerator), None)
    return profile.claims if profile and profile.claims else record.claims


def claims(record: RunRecord) -> dict[tuple[str, str], list[str]]:
    """Key and words of every claim, and the accelerators whose profiles claim it in these words."""
    found: dict[tuple[str, str], list[str]] = {}
    for accelerator in accelerators(record):
        for key, words in claimed(record, accelerator).items():
            found.setdefault((key, words), []).append(accelerator)
    return found


def claim(record: RunRecord, key: str, accelerator: str) -> Claim:
    """The claim `key` for an accelerator."""
    cases = tuple(each for each in record.cases if key in each.checks and each.accelerator == accelerator)
    return Claim(key, accelerator, _standing(cases), cases)


def standing(record: RunRecord, key: str, claimed_for: list[str]) -> Standing:
    """What is known of a claim for some accelerators together: kept only if it is kept for each of them."""
    found = {claim(record, key, each).standing for each in claimed_for}
    if Standing.NOT_KEPT in found:
        return Standing.NOT_KEPT
    if len(found) == 1:
        return found.pop()
    return Standing.IN_PART if found else Standing.NOT_CHECKED


def _standing(cases: tuple[CaseRecord, ...]) -> Standing:
    outcomes = {each.outcome for each in cases}
    if outcomes & {Outcome.FAILED, Outcome.KNOWN_ISSUE}:
        return Standing.NOT_KEPT
    if outcomes == {Outcome.PASSED}:
        return Standing.KEPT
    return Standing.IN_PART if outcomes & ANSWERED else Standing.NOT_CHECKED
