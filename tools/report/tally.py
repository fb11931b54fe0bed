"""Counting of a run's cases, in the one order and the one spelling that every report uses."""

import re
from collections import Counter
from collections.abc import Iterable

from tools.outcomes import Level, Outcome
from tools.report.record import CaseRecord, RunRecord

# Only these say something about the product.
ANSWERED = frozenset({Outcome.PASSED, Outcome.FAILED})
# Below that, in seconds, nobody would look for what takes so long.
_SLOW = 2.0
_WEIGHT = {Level.CORE: 0, Level.EXTENDED: 1}
_ORDER = {outcome: number for number, outcome in enumerate(Outcome)}


def label(case: CaseRecord) -> str:
    """`area.name[accelerator]`: the same case in every report and every run."""
    return f"{case.area}.{case.name}[{case.accelerator}]"


def accelerators(record: RunRecord) -> list[str]:
    """Those of the profiles, then those that only cases have."""
    promised = [each.accelerator for each in record.profiles]
    return list(dict.fromkeys([*promised, *(each.accelerator for each in record.cases)]))


def areas(record: RunRecord) -> list[str]:
    """Areas in the order in which their cases were to run."""
    return list(dict.fromkeys(each.area for each in record.cases))


def count(cases: Iterable[CaseRecord]) -> Counter[Outcome]:
    """How many ended how."""
    return Counter(each.outcome for each in cases)


def told(counts: Counter[Outcome]) -> str:
    """`12 passed, 1 failed`; `no cases` for nothing."""
    return ", ".join(f"{counts[each]} {each}" for each in Outcome if counts[each]) or "no cases"


def suite(record: RunRecord) -> str:
    """`0.1.0, commit fa89892c0ffe`, and whether its checkout had changes."""
    told = {"version": record.suite.get("version", ""), "commit": f"commit {record.suite.get('commit', '')[:12]}"}
    dirty = ["with changes that are in no commit"] if record.suite.get("dirty") == "true" else []
    return ", ".join([*(text for name, text in told.items() if record.suite.get(name)), *dirty]) or "unknown"


def slowest(record: RunRecord, most: int = 5) -> list[CaseRecord]:
    """The cases that took longest, the longest first; those of a proof take as long as all of its group."""
    found = [] if record.proof else [each for each in record.cases if each.seconds >= _SLOW]
    return sorted(found, key=lambda each: -each.seconds)[:most]


def not_passed(record: RunRecord) -> list[CaseRecord]:
    """Cases that did not pass: failed ones first, core before extended, otherwise in their order."""
    found = [each for each in record.cases if each.outcome is not Outcome.PASSED]
    return sorted(found, key=lambda each: (_ORDER[each.outcome], _WEIGHT[each.level]))


def reason(case: CaseRecord) -> str:
    """Why it did not pass, and never nothing."""
    return case.message.strip() or f"{case.outcome}, and no reason was recorded"


def bare_reason(case: CaseRecord) -> str:
    """The reason for where its outcome stands beside it: without the outcome in front."""
    return re.sub(rf"^{case.outcome}[:,]\s*", "", case.message.strip()) or "no reason was recorded"
