"""The top of the page: the answer, why, of what, and the figures that matter."""

from datetime import datetime

from tools.outcomes import Level, Outcome
from tools.progress import duration
from tools.report.claims import Standing, claim
from tools.report.page.markup import Markup, fold, join, tag
from tools.report.record import CaseRecord, RunRecord
from tools.report.tally import accelerators, count
from tools.report.text import counted
from tools.report.verdict import Judgement, Verdict

_ANSWERS = {
    Verdict.RELEASABLE: ("Yes.", "Every promise of the profile was seen kept, on the real thing."),
    Verdict.REHEARSAL: ("Not by this run.", "Everything is green, but not on the real thing: a rehearsal, no release."),
    Verdict.NOT_RELEASABLE: ("No.", "The product broke a promise."),
    Verdict.INCONCLUSIVE: ("It cannot be told.", "Too little was seen to say yes or no."),
}
_REASONS_SHOWN = 3


def banner(record: RunRecord, judgement: Judgement) -> Markup:
    """The verdict and what it rests on."""
    answer, because = _ANSWERS[judgement.verdict]
    reasons = [tag("li", each) for each in judgement.reasons]
    more = reasons[_REASONS_SHOWN:]
    return tag(
        "header",
        tag(
            "div",
            tag("p", "May this go out?", class_="question"),
            tag("h1", str(judgement.verdict)),
            tag("p", tag("strong", answer), " ", because, class_="answer"),
            tag("ul", *reasons[:_REASONS_SHOWN], class_="reasons"),
            fold(counted(len(more), "more reason"), tag("ul", *more, class_="reasons")) if more else "",
            _facts(record),
            class_="inner",
        ),
        class_="banner",
    )


def figures(record: RunRecord) -> Markup:
    """Numbers to take in at a glance."""
    measures = [each for case in record.cases for each in case.measures]
    claims = [claim(record, key, each).standing for key in record.claims for each in accelerators(record)]
    tiles = [
        *(_level(level, [each for each in record.cases if each.level is level]) for level in Level),
        _tile(f"{claims.count(Standing.KEPT)} of {len(claims)}", "claims kept", _claims_foot(claims)),
        _tile(
            f"{sum(each.seconds <= each.budget for each in measures)} of {len(measures)}",
            "numbers within budget",
            "time limits that the profile sets",
        ),
        _tile(
            str(len(record.standins)),
            "stand-ins" if len(record.standins) != 1 else "stand-in",
            "in place of real things" if record.standins else "everything was real",
        ),
        _proof(record),
    ]
    return tag("section", tag("h2", "At a glance", class_="unseen"), tag("div", *tiles, class_="tiles"))


def elapsed(record: RunRecord) -> str:
    """How long the run took; empty if its times cannot be read."""
    try:
        times = [datetime.fromisoformat(each) for each in (record.started, record.ended)]
        return duration((times[1] - times[0]).total_seconds())
    except (ValueError, TypeError):
        return ""


def _facts(record: RunRecord) -> Markup:
    where = {"local": "local cluster", "kind": "kind cluster", "existing": f"existing cluster {record.context}"}
    commit = record.suite.get("commit", "")[:12]
    facts = {
        "Profile": ", ".join(each.name for each in record.profiles) or "none",
        "Service": record.target or "deployed by the run",
        "Cluster": where.get(record.provider, record.provider),
        "KServe": record.versions.get("kserve", "unknown"),
        "Ended": record.ended.replace("T", " ").replace("Z", " UTC"),
        "Took": elapsed(record) or "unknown",
        "Run": record.run,
        "Suite": f"{commit}, with changes" if record.suite.get("dirty") == "true" else commit or "unknown",
    }
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts.items()), class_="facts")


def _level(level: Level, cases: list[CaseRecord]) -> Markup:
    counts = count(cases)
    others = [f"{counts[each]} {each}" for each in Outcome if counts[each] and each is not Outcome.PASSED]
    foot = ", ".join(others) or ("all of them" if cases else "none was selected")
    return _tile(f"{counts[Outcome.PASSED]} of {len(cases)}", f"{level} cases passed", foot)


def _claims_foot(claims: list[Standing]) -> str:
    others = [each for each in Standing if each is not Standing.KEPT and each in claims]
    return ", ".join(f"{claims.count(each)} {each}" for each in others) or "all that the profile promises"


def _proof(record: RunRecord) -> Markup:
    if record.proof is None:
        return _tile("–", "cases proven", "this run did not prove that its cases can fail")
    proof = record.proof
    return _tile(f"{proof.proven} of {proof.selected}", "cases proven able to fail", f"of {proof.cases} in the suite")


def _tile(figure: str, what: str, foot: str) -> Markup:
    return tag("div", tag("p", figure, class_="figure"), tag("p", what, class_="what"), tag("p", foot, class_="foot"))


def contents(parts: list[tuple[str, str]]) -> Markup:
    """Links to the parts of the page.

    Args:
        parts: anchor and title.
    """
    links = join(*(tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in parts))
    return tag("nav", tag("ul", links), aria_label="Parts of this page")
