"""The rules of a sign-off, decided on a run's record and the day; the profile says how much of each is wanted."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from tools.outcomes import Level, Outcome, Sighting
from tools.report.asked import BUDGETS, asks_for_budgets, executed, is_checked, is_unpromised, minimum
from tools.report.ranges import misfits
from tools.report.record import CaseRecord, ProofRecord, RunRecord
from tools.report.tally import count, told
from tools.report.text import counted
from tools.report.verdict import Verdict, judge

_COMMIT = re.compile(r"[0-9a-f]{40,64}")
# The words of `tools.skips`, which the record has as the case's message.
_UNTIL = re.compile(r"^skipped until (\d{4}-\d{2}-\d{2}):")


@dataclass(frozen=True)
class Rule:
    """A rule and whether the run keeps it.

    Attributes:
        name: short and stable.
        ok: kept.
        need: what is wanted, in words.
        have: what the run has.
    """

    name: str
    ok: bool
    need: str
    have: str


def decide(record: RunRecord, files: Collection[str], day: date, proof: ProofRecord | None) -> tuple[Rule, ...]:
    """All rules, the most important first.

    Args:
        record: of the run.
        files: of the run's directory, relative to it.
        day: of the sign-off: a skip may have expired since the run.
        proof: what `--prove` showed, in this run or in another of the same commit.
    """
    return (
        _verdict(record),
        _core(record),
        _minimum(record),
        _versions(record),
        _budgets(record),
        _skips(record, day),
        _known_issues(record, day),
        _proof(record, proof),
        _suite(record),
        _evidence(record, files),
    )


def _verdict(record: RunRecord) -> Rule:
    found = judge(record)
    have = f"{found.verdict}: {found.reasons[0]}"
    return Rule("verdict", found.verdict is Verdict.RELEASABLE, f"the verdict {Verdict.RELEASABLE}", have)


def _core(record: RunRecord) -> Rule:
    core = [each for each in record.cases if each.level is Level.CORE]
    asked = [each for each in core if not is_unpromised(record, each)]
    beyond = len(core) - len(asked)
    have = f"core cases: {told(count(asked))}"
    have += f"; {beyond} about what the profile does not promise" if beyond else ""
    ok = bool(asked) and all(each.outcome is Outcome.PASSED for each in asked)
    return Rule("core-passed", ok, "every core case passed", have)


def _minimum(record: RunRecord) -> Rule:
    counts = [(each, len(executed(record, each.accelerator))) for each in record.profiles]
    need = ", ".join(f"at least {minimum(each)} for {each.accelerator}" for each, _ in counts) or "a profile"
    have = ", ".join(f"{many} for {each.accelerator}" for each, many in counts) or "no profile"
    ok = bool(counts) and all(many >= minimum(each) for each, many in counts)
    return Rule("minimum-executed", ok, f"executed cases: {need}", have)


def _versions(record: RunRecord) -> Rule:
    wrong = misfits(record)
    asked = [f"{component} {accepted}" for each in record.profiles for component, accepted in each.versions.items()]
    found = (
        ", ".join(f"{component} {version}" for component, version in record.versions.items()) or "no version is known"
    )
    need = f"versions in the profile's ranges: {', '.join(asked) or 'it asks for none'}"
    return Rule("versions-in-range", not wrong, need, " ".join(wrong) or found)


def _budgets(record: RunRecord) -> Rule:
    asking = [each for each in record.profiles if asks_for_budgets(each)]
    need = "load budgets certified" if asking else "load budgets certified, or not (the profile does without)"
    if BUDGETS not in record.claims:
        return Rule("budgets-certified", True, need, "the profile states no load budgets")
    lacking = [each for each in record.profiles if not is_checked(record, BUDGETS, each.accelerator)]
    names = ", ".join(each.name for each in lacking)
    have = f"not certified: no executed and passed case measures them for {names}" if lacking else "certified"
    return Rule("budgets-certified", not any(each in asking for each in lacking), need, have)


def _skips(record: RunRecord, day: date) -> Rule:
    skipped = [each for each in record.cases if each.outcome is Outcome.SKIPPED]
    # On the day itself a skip still holds, as it does when cases run.
    expired = [each for each in skipped if not (until := _until(each)) or until < day]
    lines = [f"{each.name} ({each.accelerator}), until {_until(each) or 'no date is told'}" for each in expired]
    have = f"expired: {', '.join(lines)}" if lines else f"{counted(len(skipped), 'skip')}, none of them expired"
    return Rule("no-expired-skip", not expired, f"no skip that has expired on {day}", have)


def _known_issues(record: RunRecord, day: date) -> Rule:
    known = [each for each in record.cases if each.outcome is Outcome.KNOWN_ISSUE]
    expired = [each for each in known if not (until := _known_until(each)) or until < day]
    lines = [f"{each.name} ({each.accelerator}), until {_known_until(each) or 'no date is told'}" for each in expired]
    have = f"expired: {', '.join(lines)}" if lines else f"{counted(len(known), 'known issue')}, none of them expired"
    return Rule("no-expired-known-issue", not expired, f"no known issue that has expired on {day}", have)


def _known_until(case: CaseRecord) -> date | None:
    days = [date.fromisoformat(each.until) for each in case.known_issues if each.sighting == Sighting.SEEN]
    return max(days, default=None)


def _until(case: CaseRecord) -> date | None:
    found = _UNTIL.match(case.message)
    return date.fromisoformat(found[1]) if found else None


def _proof(record: RunRecord, proof: ProofRecord | None) -> Rule:
    wanted = max((float(each.signoff.get("prove_rate_minimum", 0)) for each in record.profiles), default=0.0)
    have = f"{proof.proven} of {proof.cases} cases proven ({rate(proof):.0%})" if proof else "no proof"
    have += "" if wanted else "; none is asked for"
    reached = rate(proof) if proof else 0.0
    return Rule("prove-rate", reached >= wanted, f"at least {wanted:.0%} of the cases proven to be able to fail", have)


def rate(proof: ProofRecord) -> float:
    """The share of all cases that were proven, from 0 to 1."""
    return proof.proven / proof.cases if proof.cases else 0.0


def _suite(record: RunRecord) -> Rule:
    commit, dirty = record.suite.get("commit", ""), record.suite.get("dirty", "")
    changes = {"false": "without changes", "true": "with changes that are in no commit"}.get(dirty, "changes unknown")
    ok = bool(_COMMIT.fullmatch(commit)) and dirty == "false"
    need = "a suite that can be had again: a commit, without changes of its own"
    return Rule("suite-clean", ok, need, f"commit {commit or 'unknown'}, {changes}")


def _evidence(record: RunRecord, files: Collection[str]) -> Rule:
    named = {name for each in record.cases for name in each.evidence}
    missing = sorted(named - set(files))
    have = f"missing: {', '.join(missing[:5])}" if missing else f"{counted(len(named), 'file')}, all there"
    return Rule("evidence-there", not missing, "every file that run.json names", have)
