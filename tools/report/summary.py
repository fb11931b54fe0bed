"""`summary.html`: one page for people who decide, complete in itself: nothing is loaded, nothing is executed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from tools.outcomes import Outcome
from tools.report.claims import claims
from tools.report.groups import URGENT
from tools.report.page import banner, facts, failures, findings
from tools.report.page.markup import Markup, join, tag
from tools.report.record import RunRecord
from tools.report.tally import accelerators, count, slowest, told
from tools.report.text import one_line
from tools.report.verdict import FINISHED, Verdict, judge

_PAGE = Path(__file__).parent / "page"
STYLE = _PAGE / "summary.css"
# Of the icon in the browser's tab.
_COLOURS = {
    Verdict.RELEASABLE: "0f7a3f",
    Verdict.REHEARSAL: "ffc21a",
    Verdict.NOT_RELEASABLE: "b3141c",
    Verdict.INCONCLUSIVE: "5a6675",
}


# Whether anything failed.
_TITLES = {True: "What failed, and why", False: "What gave no answer, and why"}


@dataclass(frozen=True)
class _Part:
    """A part of the page; left out when it has nothing to say.

    Attributes:
        anchor: its id.
        short: its name in the row of links.
        title: its heading.
        lead: a sentence below it.
        content: makes it.
        there: whether there is anything to show.
    """

    anchor: str
    short: str
    title: str
    lead: str
    content: Callable[[RunRecord], Markup]
    there: bool = True


def render(record: RunRecord) -> str:
    """The page."""
    judgement = judge(record)
    parts = [each for each in _parts(record) if each.there]
    verdict = str(judgement.verdict).lower().replace(" ", "-")
    promised = ", ".join(each.name for each in record.profiles) or ", ".join(accelerators(record)) or "no profile"
    body = join(
        banner.banner(record, judgement),
        banner.contents([(each.anchor, each.short) for each in parts]),
        tag("main", banner.figures(record), *(_section(record, each) for each in parts)),
        tag("footer", tag("p", f"llmisvc-conformance, run {record.run}")),
    )
    return Template((_PAGE / "page.html").read_text()).substitute(
        title=join(one_line(f"{judgement.verdict}: {promised}, run {record.run}")),
        colour=_COLOURS[judgement.verdict],
        style=STYLE.read_text(),
        verdict=verdict,
        body=body,
    )


def _parts(record: RunRecord) -> list[_Part]:
    bad, left_out = failures.failures(record), failures.omissions(record)
    known = failures.known_issues(record)
    measured = any(each.measures for each in record.cases)
    return [
        _Part("ending", "Ending", "The run ended early", "", failures.ending, record.ended_by != FINISHED),
        _Part(
            "failures",
            "Failures",
            _TITLES[any(each.outcome is Outcome.FAILED for each in record.cases)],
            _lead(record),
            lambda _: join(*bad),
            bool(bad),
        ),
        _Part(
            "known-issues",
            "Known issues",
            "Known issues upstream",
            "None of these counts as passed. An entry that is not seen any more may go.",
            lambda _: join(*known),
            bool(known),
        ),
        _Part(
            "trouble",
            "Trouble",
            "Trouble of the run",
            "What it could not do or left behind.",
            facts.trouble,
            bool(record.trouble),
        ),
        _Part("areas", "Areas", "Results by area", "", findings.by_area, bool(record.cases)),
        _Part(
            "claims",
            "Claims",
            "Claims of the profile",
            "A claim that no case checked is not kept.",
            findings.by_claim,
            bool(claims(record)),
        ),
        _Part(
            "numbers",
            "Numbers",
            "Numbers and budgets",
            "Those nearest to their budget first.",
            findings.numbers,
            measured,
        ),
        _Part(
            "left-out",
            "Left out",
            "Not supported and skipped",
            "None of these counts as passed.",
            lambda _: tag("ul", *left_out, class_="omissions"),
            bool(left_out),
        ),
        _Part(
            "stand-ins",
            "Stand-ins",
            "Stand-ins",
            "Not the real thing, and what this run therefore says nothing about.",
            facts.standins,
            bool(record.standins),
        ),
        _Part(
            "versions",
            "Versions",
            "Versions and images",
            "As found on the cluster.",
            facts.versions,
            bool(record.versions),
        ),
        _Part("features", "Features", "Features of the cluster", "", facts.features, bool(record.features)),
        _Part("profiles", "Profiles", "Profiles", "What was promised.", facts.profiles, bool(record.profiles)),
        _Part("proof", "Proof", "Can the cases fail?", "", facts.proof),
        _Part(
            "slowest",
            "Slowest",
            "The slowest cases",
            "With what they wait for: a service that several cases use is waited for by the first.",
            findings.slow_cases,
            bool(slowest(record)),
        ),
        _Part("cases", "Cases", "Every case", "", findings.every_case, bool(record.cases)),
        _Part("reproduce", "Run again", "Run it again", "", facts.reproduce),
    ]


def _lead(record: RunRecord) -> str:
    counts = count(each for each in record.cases if each.outcome in URGENT)
    return f"{told(counts)}. Only what failed speaks about the product."


def _section(record: RunRecord, part: _Part) -> Markup:
    lead = tag("p", part.lead, class_="lead") if part.lead else ""
    return tag("section", tag("h2", part.title), lead, part.content(record), id=part.anchor)
