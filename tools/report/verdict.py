"""The verdict of a run, from its record alone: may this go out?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from tools.cluster.rules import simulators
from tools.outcomes import Level, Outcome, Sighting
from tools.report.asked import (
    BUDGETS,
    asks_for_budgets,
    executed,
    is_checked,
    is_unpromised,
    minimum,
    unchecked,
)
from tools.report.ranges import misfits
from tools.report.record import CaseRecord, ProfileRecord, RunRecord
from tools.report.tally import bare_reason
from tools.report.text import counted
from tools.skips import has_expired

FINISHED = "finished"
_EXISTING = "existing"
_NAMED_AT_MOST = 8


class Verdict(StrEnum):
    """What a run says about a release.

    Attributes:
        RELEASABLE: every promise of the profile was seen kept, on the real thing.
        REHEARSAL: green, but on stand-ins, or not on the cluster that it is for.
        NOT_RELEASABLE: the product broke a promise.
        INCONCLUSIVE: the run cannot tell.
    """

    RELEASABLE = "RELEASABLE"
    REHEARSAL = "REHEARSAL"
    NOT_RELEASABLE = "NOT RELEASABLE"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on.

    Attributes:
        verdict: of the run.
        reasons: sentences for who decides, the most important first; never empty.
    """

    verdict: Verdict
    reasons: tuple[str, ...]


def judge(record: RunRecord) -> Judgement:
    """The verdict of a run.

    A failed extended case weighs as much as a core one here: it ran because its requirements are met, so the release
    has the feature, and has it broken. For the same reason a case that broke or did not run leaves the question open
    at either level. Without weight, but told, is what the cluster does not offer (extended, not supported), what a
    person took out (extended, skipped, with an expiry date), a known issue (extended), and what the profile does not
    promise.

    Args:
        record: of the run.
    """
    failed = _failures(record)
    doubts = _doubts(record)
    limits = _limits(record)
    # Where nothing was executed, everything is a gap: that it was not is all there is to say.
    gaps = _gaps(record) if executed(record) else []
    notes = _notes(record)
    if failed:
        return Judgement(Verdict.NOT_RELEASABLE, (*failed, *doubts, *gaps, *limits, *notes))
    if doubts:
        return Judgement(Verdict.INCONCLUSIVE, (*doubts, *gaps, *limits, *notes))
    if limits:
        return Judgement(Verdict.REHEARSAL, (f"{_green(record)} A rehearsal, not a release.", *limits, *gaps, *notes))
    if gaps:
        return Judgement(Verdict.INCONCLUSIVE, (*gaps, *notes))
    return Judgement(Verdict.RELEASABLE, (_green(record), *notes))


def _failures(record: RunRecord) -> list[str]:
    found = {level: _cases(record, Outcome.FAILED, level) for level in Level}
    expired = [case for cases in found.values() for case in cases if has_expired(case.message)]
    broken = {level: [case for case in cases if case not in expired] for level, cases in found.items()}
    return [
        *(text for level, cases in broken.items() for text in _failed(cases, level)),
        *_told(
            expired, lambda many: f"{counted(many, 'skip')} expired, and counts as a failure until it is dealt with"
        ),
    ]


def _failed(cases: list[CaseRecord], level: Level) -> list[str]:
    return _told(cases, lambda many: f"The product broke a promise: {counted(many, f'{level} case')} failed")


def _doubts(record: RunRecord) -> list[str]:
    """What makes a run unable to tell, wherever it ran."""
    ended = [] if record.ended_by == FINISHED else [f"The run ended early: {_sentence(record.ended_by)}"]
    nothing = [] if executed(record) else ["No case was executed, so nothing was shown."]
    return [
        *ended,
        *nothing,
        *_told(
            [case for level in Level for case in _cases(record, Outcome.BROKEN, level)],
            lambda many: f"{counted(many, 'case')} broke: suite or cluster could not tell whether the promise is kept",
        ),
        *_told(
            [case for level in Level for case in _cases(record, Outcome.NOT_RUN, level)],
            lambda many: (
                f"{counted(many, 'case')} did not run"
                if ended
                else f"{counted(many, 'case')} did not run, because what {'it rests' if many == 1 else 'they rest'}"
                " on failed before"
            ),
        ),
        *(text for profile in record.profiles if (text := _thinned(record, profile))),
    ]


def _thinned(record: RunRecord, profile: ProfileRecord) -> str:
    """Enough was selected and too little was executed: cases fell out by themselves. A choice by hand is no doubt."""
    of_it = [each for each in record.cases if each.accelerator == profile.accelerator]
    count = len(executed(record, profile.accelerator))
    if not 0 < count < minimum(profile) <= len(of_it):
        return ""
    return f"Of {len(of_it)} selected cases {count} were executed; {_wanted(profile)}."


def _limits(record: RunRecord) -> list[str]:
    """What makes a green run a rehearsal."""
    standins = [each.id for each in record.standins]
    ours = simulators([], list(record.images.values()))
    provider = {"local": "the local cluster", "kind": "a kind cluster"}.get(record.provider, record.provider)
    return [
        *([f"{counted(len(standins), 'stand-in')} in use: {_listed(standins)}."] if standins else []),
        # A local cluster that was given as an existing one: nobody has listed what stands in there.
        *(
            [f"{counted(len(ours), 'image')} that only local clusters have: {_listed(ours)}."]
            if not standins and ours
            else []
        ),
        *(["Cases were proved able to fail, on a service that was broken on purpose."] if record.proof else []),
        *([] if record.accelerator_real else ["The accelerators of the profile were not there."]),
        *(
            []
            if record.provider == _EXISTING
            else [f"It ran on {provider}, not on the cluster that the release is for."]
        ),
    ]


def _gaps(record: RunRecord) -> list[str]:
    """What a release needs and a rehearsal may lack."""
    lacking = unchecked(record)
    return [
        *_told(
            [each for each in _cases(record, Outcome.NOT_SUPPORTED, Level.CORE) if not is_unpromised(record, each)],
            lambda many: f"{counted(many, 'core case')} not supported by this cluster, which is not a pass",
        ),
        *_told(
            _cases(record, Outcome.SKIPPED, Level.CORE),
            lambda many: f"{counted(many, 'core case')} skipped by a person",
        ),
        *_known_issues(record, Level.CORE),
        *([f"{counted(len(lacking), 'promise')} checked by no passed case: {_listed(lacking)}."] if lacking else []),
        *(
            f"{len(executed(record, each.accelerator))} cases were executed for {each.accelerator}; {_wanted(each)}."
            for each in record.profiles
            if len(executed(record, each.accelerator)) < minimum(each) and not _thinned(record, each)
        ),
        *misfits(record),
        *([] if record.profiles else ["No profile says what the release promises."]),
    ]


def _notes(record: RunRecord) -> list[str]:
    """What does not weigh and belongs to the picture."""
    return [
        *_told(
            [each for each in _cases(record, Outcome.NOT_SUPPORTED, Level.CORE) if is_unpromised(record, each)],
            lambda many: f"{counted(many, 'core case')} about what the profile does not promise",
        ),
        *_told(
            _cases(record, Outcome.NOT_SUPPORTED, Level.EXTENDED),
            lambda many: f"{counted(many, 'extended case')} not supported by this cluster",
        ),
        *_told(
            _cases(record, Outcome.SKIPPED, Level.EXTENDED),
            lambda many: f"{counted(many, 'extended case')} skipped by a person",
        ),
        *_known_issues(record, Level.EXTENDED),
        *_stale(record),
        *(
            f"The load budgets of {each.name} are not certified, which its sign-off does not ask for."
            for each in record.profiles
            if BUDGETS in record.claims
            and not asks_for_budgets(each)
            and not is_checked(record, BUDGETS, each.accelerator)
        ),
        *([f"The run had trouble of its own: {_listed(list(record.trouble))}."] if record.trouble else []),
    ]


def _known_issues(record: RunRecord, level: Level) -> list[str]:
    """A sentence for each issue: who decides has to know what is wrong, and where it is being solved."""
    found: dict[str, list[CaseRecord]] = {}
    for case in _cases(record, Outcome.KNOWN_ISSUE, level):
        seen = [f"{each.what} {each.link}" for each in case.known_issues if each.sighting == Sighting.SEEN]
        found.setdefault(seen[0] if seen else bare_reason(case), []).append(case)
    return [
        f"{counted(len(cases), f'{level} case')} failed by a known issue: {_listed(_names(cases))}: {what}"
        for what, cases in found.items()
    ]


def _stale(record: RunRecord) -> list[str]:
    """Entries that have to be looked at."""
    found: dict[tuple[str, str], list[CaseRecord]] = {}
    for case in record.cases:
        for each in case.known_issues:
            if each.sighting == Sighting.NOT_SEEN:
                found.setdefault((each.where, "was not seen, so its entry may go"), []).append(case)
            elif each.sighting == Sighting.EXPIRED:
                found.setdefault((each.where, f"has expired on {each.until}"), []).append(case)
    return [f"The known issue of {_listed(_names(cases))} {what} ({where})." for (where, what), cases in found.items()]


def _green(record: RunRecord) -> str:
    return f"All {counted(len(executed(record)), 'executed case')} passed."


def _wanted(profile: ProfileRecord) -> str:
    return f"the profile {profile.name} wants at least {minimum(profile)}"


def _cases(record: RunRecord, outcome: Outcome, level: Level) -> list[CaseRecord]:
    return [each for each in record.cases if each.outcome is outcome and each.level is level]


def _told(cases: list[CaseRecord], head: Callable[[int], str]) -> list[str]:
    """A sentence with the names, or nothing."""
    return [f"{head(len(cases))}: {_listed(_names(cases))}."] if cases else []


def _names(cases: Iterable[CaseRecord]) -> list[str]:
    """Each case once, with all the accelerators that it ended so for."""
    found: dict[str, list[str]] = {}
    for each in cases:
        found.setdefault(each.name, []).append(each.accelerator)
    return [f"{name} ({', '.join(accelerators)})" for name, accelerators in found.items()]


def _listed(items: list[str]) -> str:
    more = len(items) - _NAMED_AT_MOST
    return ", ".join(items[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
