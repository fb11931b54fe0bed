"""Tables of what was found out: by area, by claim, by number, and every case."""

from tools.outcomes import Outcome
from tools.progress import duration
from tools.report.claims import Claim, Standing, claim, claims
from tools.report.page.markup import Markup, badge, fold, join, table, tag
from tools.report.record import CaseRecord, Measure, RunRecord
from tools.report.tally import accelerators, areas, bare_reason, count, label, slowest, told
from tools.report.text import one_line

_STANDING = {
    Standing.KEPT: "passed",
    Standing.NOT_KEPT: "failed",
    Standing.IN_PART: "unknown",
    Standing.NOT_CHECKED: "not-run",
}


_NAMED_AT_MOST = 3
_SLOW_SHOWN = 10
_UNCLAIMED = tag("span", "not claimed", class_="soft")


def by_area(record: RunRecord) -> Markup:
    """How the cases of each area ended for each accelerator."""
    columns = accelerators(record)
    rows: list[tuple[str, ...]] = [
        (area, *(_cell([each for each in record.cases if (each.area, each.accelerator) == (area, column)])
                 for column in columns))
        for area in areas(record)
    ]  # fmt: skip
    return table(("Area", *columns), rows, "Outcomes of cases by area and accelerator", "areas paired")


def by_claim(record: RunRecord) -> Markup:
    """What is known of each claim of the profiles."""
    columns = accelerators(record)
    rows: list[tuple[str, ...]] = [
        (
            tag("span", words, " ", tag("code", key)),
            *(_claim(claim(record, key, column)) if column in claimed_for else _UNCLAIMED for column in columns),
        )
        for (key, words), claimed_for in claims(record).items()
    ]
    return table(("The profile claims", *columns), rows, "Claims and whether they were checked", "paired")


def numbers(record: RunRecord) -> Markup:
    """Numbers with their budgets, those nearest to or over it first."""
    found = [(case, each) for case in record.cases for each in case.measures]
    found.sort(key=lambda pair: -_share(pair[1]))
    rows: list[tuple[str, ...]] = [
        (
            join(one_line(each.what), tag("span", label(case), class_="of")),
            f"{each.seconds:.2f} s" + (f", {one_line(each.note)}" if each.note else ""),
            f"{each.budget:g} s",
            _bar(each),
        )
        for case, each in found
    ]
    return table(("Number", "Value", "Budget", "Used"), rows, "Numbers and their budgets", "numbers")


def slow_cases(record: RunRecord) -> Markup:
    """The cases that took longest."""
    rows: list[tuple[str, ...]] = [
        (tag("code", label(each)), badge(each.outcome.replace(" ", "-"), each.outcome), duration(each.seconds))
        for each in slowest(record, _SLOW_SHOWN)
    ]
    return table(("Case", "Outcome", "Took"), rows, "The cases that took longest", "numbers")


def every_case(record: RunRecord) -> Markup:
    """All promises, each area to unfold."""
    return join(*(_area(area, [each for each in record.cases if each.area == area]) for area in areas(record)))


def _cell(cases: list[CaseRecord]) -> Markup:
    counts = count(cases)
    kinds = [each for each in Outcome if counts[each]]
    # The worst first: it is what the eye must meet.
    kinds.sort(key=lambda each: each is Outcome.PASSED)
    chips = [badge(each.replace(" ", "-"), f"{counts[each]} {each}") for each in kinds]
    return join(*chips) if chips else tag("span", "no case", class_="soft")


def _claim(found: Claim) -> Markup:
    return join(badge(_STANDING[found.standing], found.standing), *_checked_by(found.cases))


def _checked_by(cases: tuple[CaseRecord, ...]) -> list[Markup]:
    """Names of the cases; of many only those that did not pass are seen at once."""
    if not cases:
        return [tag("span", "no case checks it", class_="of")]
    shown = [f"{each.name} {each.outcome}" for each in cases if each.outcome is not Outcome.PASSED]
    passed = [each.name for each in cases if each.outcome is Outcome.PASSED]
    if len(passed) <= _NAMED_AT_MOST:
        return [tag("span", ", ".join([*shown, *passed]), class_="of")]
    told = [tag("span", ", ".join(shown), class_="of")] if shown else []
    return [*told, fold(f"{len(passed)} cases passed", tag("span", ", ".join(passed), class_="of"), class_="names")]


def _share(measure: Measure) -> float:
    return measure.seconds / measure.budget if measure.budget > 0 else float(measure.seconds > 0) * 9.99


def _bar(measure: Measure) -> Markup:
    share = _share(measure)
    over = share > 1
    fill = tag("span", style=f"width:{min(share, 1) * 100:.0f}%", class_="over" if over else "")
    word = badge("failed", "over budget") if over else tag("span", f"{share:.0%}")
    return tag("span", tag("span", fill, class_="bar", aria_hidden="true"), word, class_="used")


def _area(area: str, cases: list[CaseRecord]) -> Markup:
    rows: list[tuple[str, ...]] = [
        (
            join(tag("code", f"{each.name}[{each.accelerator}]"), tag("span", each.level, class_="of")),
            badge(each.outcome.replace(" ", "-"), each.outcome),
            join(one_line(each.promise, 400), tag("span", one_line(bare_reason(each), 200), class_="of"))
            if each.outcome is not Outcome.PASSED
            else one_line(each.promise, 400),
            f"{each.seconds:.1f} s",
        )
        for each in cases
    ]
    listed = table(("Case", "Outcome", "Promise", "Took"), rows, f"Cases of the area {area}", "cases")
    return fold(f"{area}: {told(count(cases))}", listed)
