"""The top of the page: the answer, why, of what, and the figures that matter."""

from datetime import UTC, datetime

from tools.outcomes import Level, Outcome
from tools.progress import duration
from tools.report.claims import Standing, claims, standing
from tools.report.page.markup import Markup, fold, icon, join, tag
from tools.report.record import CaseRecord, Measure, ProofRecord, RunRecord
from tools.report.tally import count
from tools.report.text import counted, one_line
from tools.report.verdict import Judgement, Verdict

_ANSWERS = {
    Verdict.RELEASABLE: ("Yes.", "Every promise of the profile was seen kept, on the real thing."),
    Verdict.REHEARSAL: ("Not by this run.", "Everything is green, but not on the real thing: a rehearsal, no release."),
    Verdict.NOT_RELEASABLE: ("No.", "The product broke a promise."),
    Verdict.INCONCLUSIVE: ("It cannot be told.", "Too little was seen to say yes or no."),
}
_REASONS_SHOWN = 3
_REASON_CHARACTERS = 240


def banner(record: RunRecord, judgement: Judgement) -> Markup:
    """The verdict and what it rests on."""
    answer, because = _ANSWERS[judgement.verdict]
    # The parts below have every name; here it is about the kind of reason.
    reasons = [tag("li", one_line(each, _REASON_CHARACTERS)) for each in judgement.reasons]
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
    tiles = [
        *(_level(level, [each for each in record.cases if each.level is level]) for level in Level),
        _claims([standing(record, key, accelerators) for (key, _), accelerators in claims(record).items()]),
        _numbers([each for case in record.cases for each in case.measures]),
        _standins(len(record.standins)),
        _proof(record.proof),
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
    facts = {
        "Profile": ", ".join(each.name for each in record.profiles) or "none",
        "Service": record.target or "deployed by the run",
        "Cluster": where.get(record.provider, record.provider),
        "KServe": record.versions.get("kserve", "unknown"),
        "Ended": _minute(record.ended),
        "Took": elapsed(record) or "unknown",
        "Run": record.run,
        "Suite": _commit(record),
    }
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts.items()), class_="facts")


def _minute(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return time


def _commit(record: RunRecord) -> str:
    commit = record.suite.get("commit", "")[:12] or "unknown"
    return f"{commit} with changes" if record.suite.get("dirty") == "true" else commit


def _level(level: Level, cases: list[CaseRecord]) -> Markup:
    if not cases:
        return _tile("not-run", "–", f"{level} cases passed", "none was selected")
    counts = count(cases)
    others = [f"{counts[each]} {each}" for each in Outcome if counts[each] and each is not Outcome.PASSED]
    kind = "failed" if counts[Outcome.FAILED] else "warning" if others else "passed"
    foot = ", ".join(others) or "all of them"
    return _tile(kind, _share(counts[Outcome.PASSED], len(cases)), f"{level} cases passed", foot)


def _claims(found: list[Standing]) -> Markup:
    counts = {each: found.count(each) for each in Standing if each in found and each is not Standing.KEPT}
    kind = "failed" if Standing.NOT_KEPT in found else "warning" if counts or not found else "passed"
    foot = ", ".join(f"{number} {each}" for each, number in counts.items())
    told = foot or ("all that the profile claims" if found else "the profile claims nothing")
    return _tile(kind, _share(found.count(Standing.KEPT), len(found)), "claims kept", told)


def _numbers(measures: list[Measure]) -> Markup:
    within = sum(each.seconds <= each.budget for each in measures)
    if not measures:
        return _tile("not-run", "–", "numbers within budget", "none was taken")
    over = len(measures) - within
    foot = f"{over} over budget" if over else "all of them"
    return _tile("failed" if over else "passed", _share(within, len(measures)), "numbers within budget", foot)


def _standins(number: int) -> Markup:
    foot = "in place of real things" if number else "none was in use"
    return _tile("warning" if number else "passed", str(number), "stand-in" if number == 1 else "stand-ins", foot)


def _proof(proof: ProofRecord | None) -> Markup:
    if proof is None:
        return _tile("not-run", "–", "cases proven able to fail", "not tried in this run")
    kind = "passed" if proof.proven == proof.selected > 0 else "warning"
    return _tile(kind, _share(proof.proven, proof.selected), "cases proven able to fail", f"{proof.cases} in the suite")


def _share(part: int, whole: int) -> Markup:
    return join(str(part), tag("small", f" of {whole}"))


def _tile(kind: str, figure: str, what: str, foot: str) -> Markup:
    return tag(
        "div",
        tag("p", icon(kind), tag("span", figure), class_="figure"),
        tag("p", what, class_="what"),
        tag("p", foot, class_="foot"),
        class_=kind,
    )


def contents(parts: list[tuple[str, str]]) -> Markup:
    """Links to the parts of the page.

    Args:
        parts: anchor and title.
    """
    links = join(*(tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in parts))
    return tag("nav", tag("ul", links), aria_label="Parts of this page")
