"""What changed from one run to another, from their records alone: cases, versions, images, numbers, profiles."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tools.outcomes import Outcome
from tools.report.record import CaseRecord, Measure, RunRecord

NONE = "none"
# From the best to the worst: a case that gives no answer any more is worse than one that passed.
_ORDER = (
    Outcome.PASSED,
    Outcome.SKIPPED,
    Outcome.NOT_SUPPORTED,
    Outcome.NOT_RUN,
    Outcome.BROKEN,
    Outcome.KNOWN_ISSUE,
    Outcome.FAILED,
)
# Less than this is the noise of a cluster, not a change; a number that crosses its budget is always told.
_SHARE, _SECONDS = 0.2, 1.0


@dataclass(frozen=True)
class Change:
    """Something that is not as it was.

    Attributes:
        what: which case, component, container or number.
        was: in the baseline; `none` for something new.
        now: in the run; `none` for something that is gone.
    """

    what: str
    was: str
    now: str


@dataclass(frozen=True)
class Changes:
    """What is different in a run.

    Attributes:
        worse, better: cases that are in both runs and ended otherwise.
        new, gone: cases that are in one of them.
        levels: cases that weigh otherwise, core or extended.
        claims: promises that a profile makes now and did not, or the other way round.
        profiles: by accelerator, told by name and checksum.
        cluster: where it ran.
        suite: which version and commit of the suite.
        versions: of components.
        images: by container.
        measures: numbers that moved by more than noise, or across their budget.
    """

    worse: tuple[Change, ...] = ()
    better: tuple[Change, ...] = ()
    new: tuple[Change, ...] = ()
    gone: tuple[Change, ...] = ()
    levels: tuple[Change, ...] = ()
    claims: tuple[Change, ...] = ()
    profiles: tuple[Change, ...] = ()
    cluster: tuple[Change, ...] = ()
    suite: tuple[Change, ...] = ()
    versions: tuple[Change, ...] = ()
    images: tuple[Change, ...] = ()
    measures: tuple[Change, ...] = ()


def compare(record: RunRecord, baseline: RunRecord) -> Changes:
    """What is different in a run from an earlier one.

    Args:
        record: of the run.
        baseline: of the earlier run.
    """
    now, was = _by_name(record.cases), _by_name(baseline.cases)
    both = [name for name in now if name in was]
    outcomes = [(name, was[name].outcome, now[name].outcome) for name in both]
    return Changes(
        worse=_outcomes(outcomes, lambda before, after: _ORDER.index(after) > _ORDER.index(before)),
        better=_outcomes(outcomes, lambda before, after: _ORDER.index(after) < _ORDER.index(before)),
        new=tuple(Change(name, NONE, case.outcome) for name, case in now.items() if name not in was),
        gone=tuple(Change(name, case.outcome, NONE) for name, case in was.items() if name not in now),
        levels=_changed({name: now[name].level for name in both}, {name: was[name].level for name in both}),
        claims=_changed(record.claims, baseline.claims),
        profiles=_changed(_profiles(record), _profiles(baseline)),
        cluster=_changed(_cluster(record), _cluster(baseline)),
        suite=_changed(record.suite, baseline.suite),
        versions=_changed(record.versions, baseline.versions),
        images=_changed(record.images, baseline.images),
        measures=tuple(change for name in both for change in _moved(name, now[name], was[name])),
    )


def _by_name(cases: Iterable[CaseRecord]) -> dict[str, CaseRecord]:
    # Not by file or area: the name is what stays when a case moves.
    return {f"{each.name} ({each.accelerator})": each for each in cases}


def _outcomes(
    found: Iterable[tuple[str, Outcome, Outcome]], kind: Callable[[Outcome, Outcome], bool]
) -> tuple[Change, ...]:
    return tuple(Change(name, was, now) for name, was, now in found if kind(was, now))


def _changed(now: Mapping[str, str], was: Mapping[str, str]) -> tuple[Change, ...]:
    keys = dict.fromkeys([*now, *was])
    return tuple(
        Change(key, str(was.get(key, NONE)), str(now.get(key, NONE))) for key in keys if now.get(key) != was.get(key)
    )


def _profiles(record: RunRecord) -> dict[str, str]:
    return {each.accelerator: f"{each.name}, sha256 {each.sha256}" for each in record.profiles}


def _cluster(record: RunRecord) -> dict[str, str]:
    return {
        "provider": record.provider,
        "context": record.context,
        "identity": record.identity,
        "target": record.target or NONE,
    }


def _moved(name: str, now: CaseRecord, was: CaseRecord) -> list[Change]:
    before = {each.what: each for each in was.measures}
    return [
        Change(f"{name}: {each.what}", _told(before[each.what]), _told(each))
        for each in now.measures
        if each.what in before and _has_moved(each, before[each.what])
    ]


def _has_moved(now: Measure, was: Measure) -> bool:
    by = abs(now.seconds - was.seconds)
    crossed = (now.seconds > now.budget) != (was.seconds > was.budget)
    return crossed or now.budget != was.budget or (by > _SECONDS and by > _SHARE * was.seconds)


def _told(measure: Measure) -> str:
    return f"{measure.seconds:.2f} s of {measure.budget:g} s"
