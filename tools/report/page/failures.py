"""What did not pass, and why: for each the expected, the observed, the probable cause and the next command."""

from dataclasses import replace

from tools.outcomes import Outcome, Sighting
from tools.report.explanation import Explanation, take_apart
from tools.report.groups import URGENT, Group, groups
from tools.report.page.markup import Markup, badge, command, fold, local_link, tag
from tools.report.record import CaseRecord, KnownIssueRecord, RunRecord
from tools.report.tally import bare_reason, label, not_passed
from tools.report.text import clean, clipped, counted, one_line

_SHOWN_CHARACTERS = 20_000
_PARAGRAPH = 1_000
_WHOLE = "junit.xml"


def failures(record: RunRecord) -> list[Markup]:
    """What failed, broke or did not run."""
    return [_article(each) for each in groups([case for case in not_passed(record) if case.outcome in URGENT])]


def omissions(record: RunRecord) -> list[Markup]:
    """What was not supported or skipped, one paragraph for each reason."""
    shown = (*URGENT, Outcome.KNOWN_ISSUE)
    return [_omitted(each) for each in groups([case for case in not_passed(record) if case.outcome not in shown])]


def known_issues(record: RunRecord) -> list[Markup]:
    """What failed as it is known to fail, and the entries that were not seen, or not so."""
    seen = groups([case for case in not_passed(record) if case.outcome is Outcome.KNOWN_ISSUE])
    others = [(case, each) for case in record.cases for each in case.known_issues if each.sighting != Sighting.SEEN]
    notes = [
        tag("li", tag("p", f"{each.sighting}: ", one_line(each.what), " ", tag("code", each.link)), _entry(case, each))
        for case, each in others
    ]
    return [*(_article(each) for each in seen), *([tag("ul", *notes, class_="omissions")] if notes else [])]


def ending(record: RunRecord) -> Markup:
    """Why the run ended early."""
    explanation = take_apart(clean(record.ended_text))
    return tag(
        "article",
        tag("p", badge("broken", "ended early"), class_="head"),
        tag("h3", one_line(record.ended_by, 400)),
        _rows(explanation),
        _more(explanation),
        class_="failure broken",
    )


def _article(group: Group) -> Markup:
    first = group.cases[0]
    kind = group.outcome.replace(" ", "-")
    explanation = take_apart(clean(first.details))
    several = len(group.cases) > 1
    title = counted(len(group.cases), "case") + f" {group.outcome} for one reason" if several else first.promise
    names = "" if several else tag("code", label(first))
    return tag(
        "article",
        tag("p", badge(kind, group.outcome), " ", tag("span", first.level, class_="level"), " ", names, class_="head"),
        tag("h3", one_line(title, 400)),
        _issues(group) if group.outcome is Outcome.KNOWN_ISSUE else "",
        *_words(first, explanation),
        _cases(group) if several else "",
        _evidence(group),
        class_=f"failure {kind}",
    )


def _words(case: CaseRecord, explanation: Explanation) -> list[Markup]:
    """What is told of a case: the rows; or the reason, and the whole text to unfold where it says more."""
    if explanation.expected and explanation.observed:
        return [_rows(explanation), _more(explanation)]
    # A message is the beginning of the text, cut to one line.
    whole = one_line(case.details, _PARAGRAPH)
    if case.message and len(whole) < _PARAGRAPH and whole.startswith(one_line(case.message, 100).rstrip("…")):
        return [tag("p", bare_reason(replace(case, message=whole)), class_="why")]
    return [tag("p", one_line(bare_reason(case), 600), class_="why"), _rows(explanation), _more(explanation)]


def _rows(explanation: Explanation) -> Markup:
    rows = {
        "Expected": explanation.expected,
        "Observed": explanation.observed,
        "Probable cause": explanation.cause,
    }
    told = [
        tag("div", tag("dt", name), tag("dd", clipped(text, _SHOWN_CHARACTERS, _WHOLE)))
        for name, text in rows.items()
        if text
    ]
    if explanation.next_step:
        told.append(tag("div", tag("dt", "Next"), tag("dd", command(explanation.next_step))))
    return tag("dl", *told, class_="rows") if told else Markup("")


def _cases(group: Group) -> Markup:
    names = [tag("li", tag("code", label(each)), " ", one_line(each.promise, 200)) for each in group.cases]
    return fold(f"The {len(names)} cases", tag("ul", *names))


def _more(explanation: Explanation) -> Markup:
    if not explanation.rest:
        return Markup("")
    text = clipped(explanation.rest, _SHOWN_CHARACTERS, _WHOLE)
    return fold("Details", tag("pre", text, tabindex="0"))


def _evidence(group: Group) -> Markup:
    files = list(dict.fromkeys(path for each in group.cases for path in each.evidence))
    if not files:
        return Markup("")
    return tag("div", tag("p", "Evidence"), tag("ul", *(tag("li", local_link(each)) for each in files)), class_="files")


def _entry(case: CaseRecord, issue: KnownIssueRecord) -> Markup:
    return tag("p", tag("code", label(case)), f", until {issue.until}, {issue.where}", class_="soft")


def _issues(group: Group) -> Markup:
    """Each known issue once, with the place where it is being solved: as text, because the page leads nowhere."""
    found = dict.fromkeys((each.what, each.link, each.until) for case in group.cases for each in case.known_issues)
    lines = [
        tag("p", tag("strong", one_line(what)), " ", tag("code", link), f", until {until}")
        for what, link, until in found
    ]
    return tag("div", *lines, class_="why") if lines else Markup("")


def _omitted(group: Group) -> Markup:
    kind = group.outcome.replace(" ", "-")
    names = ", ".join(label(each) for each in group.cases)
    return tag(
        "li",
        tag("p", badge(kind, group.outcome), " ", one_line(bare_reason(group.cases[0]), 600)),
        tag("p", f"{counted(len(group.cases), 'case')}: ", tag("code", names), class_="soft"),
    )
