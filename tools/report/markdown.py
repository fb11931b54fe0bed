"""`python -m tools.report.markdown [--annotations] RUN`: a run told in CI, as a job summary or beside the code.

The job summary is Markdown for `$GITHUB_STEP_SUMMARY`; the annotations are commands of GitHub Actions, which shows them
at the case in the diff.
"""

import argparse
import re
import sys

from tools.errors import UserError
from tools.outcomes import Outcome
from tools.report.explanation import take_apart
from tools.report.finished import locate, read_run
from tools.report.groups import URGENT, Group, groups
from tools.report.record import RunRecord
from tools.report.tally import accelerators, areas, bare_reason, count, label, not_passed, suite, told
from tools.report.text import clean, clipped, counted, one_line
from tools.report.verdict import FINISHED, Verdict, judge

# GitHub shows a summary of at most 1 MiB, and ten annotations of a kind for each step.
_FAILURES_SHOWN = 30
_CHARACTERS = 4_000
_SIGNS = {
    Verdict.RELEASABLE: "✅",
    Verdict.REHEARSAL: "🚧",
    Verdict.NOT_RELEASABLE: "❌",
    Verdict.INCONCLUSIVE: "❔",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_COMMANDS = {
    Outcome.FAILED: "error",
    Outcome.BROKEN: "error",
    Outcome.NOT_RUN: "warning",
    Outcome.KNOWN_ISSUE: "notice",
}


def main(arguments: list[str]) -> int:
    """Print the summary or the annotations of a run.

    Args:
        arguments: of the command line.

    Returns:
        exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.report.markdown", description="a run, told in CI")
    parser.add_argument("--annotations", action="store_true", help="print annotations of GitHub Actions instead")
    parser.add_argument("run", metavar="RUN", help="directory of a run's reports, or its id")
    options = parser.parse_args(arguments)
    try:
        record = read_run(locate(options.run)).record
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(annotations(record)) if options.annotations else render(record))
    return 0


def render(record: RunRecord) -> str:
    """The job summary."""
    judgement = judge(record)
    profiles = ", ".join(each.name for each in record.profiles) or "no profile"
    head = [
        f"## {_SIGNS[judgement.verdict]} {judgement.verdict}: {_text(profiles)}",
        "",
        *(f"- {_text(reason, 500)}" for reason in judgement.reasons),
        "",
    ]
    urgent = groups([each for each in not_passed(record) if each.outcome in URGENT])
    more = len(urgent) - _FAILURES_SHOWN
    shown = [line for group in urgent[:_FAILURES_SHOWN] for line in _failure(group)]
    shown += [f"… and {counted(more, 'more reason')}: see summary.html", ""] if more > 0 else []
    return "\n".join([*head, *_ending(record), *_table(record), *shown, *_known_issues(record), *_foot(record)])


def annotations(record: RunRecord) -> list[str]:
    """Lines that GitHub Actions shows at the files of the cases that failed, broke or did not run."""
    ended = [] if record.ended_by == FINISHED else [_command("error", {"title": "Run ended early"}, record.ended_by)]
    shown = (*URGENT, Outcome.KNOWN_ISSUE)
    urgent = groups([each for each in not_passed(record) if each.outcome in shown])
    return [*ended, *(_annotation(each) for each in urgent)]


def _ending(record: RunRecord) -> list[str]:
    if record.ended_by == FINISHED:
        return []
    return [f"### The run ended early: {_text(record.ended_by)}", "", *_rows(record.ended_text), ""]


def _table(record: RunRecord) -> list[str]:
    """How the cases of each area ended for each accelerator."""
    if not record.cases:
        return []
    columns = accelerators(record)
    lines = [["Area", *columns], ["---"] * (len(columns) + 1)]
    for area in areas(record):
        of_area = [each for each in record.cases if each.area == area]
        lines.append([area, *(told(count(each for each in of_area if each.accelerator == name)) for name in columns)])
    return [*("| " + " | ".join(_text(cell) for cell in line) + " |" for line in lines), ""]


def _failure(group: Group) -> list[str]:
    first = group.cases[0]
    several = len(group.cases) > 1
    title = f"{counted(len(group.cases), 'case')} {group.outcome}" if several else f"{group.outcome}: {label(first)}"
    names = [f"{_text(', '.join(label(each) for each in group.cases), 1000)}", ""] if several else []
    promise = [] if several else [f"{_text(first.promise)}", ""]
    rows = _rows(first.details) or [_text(bare_reason(first), 1000)]
    return [f"### {_text(title)}", "", *promise, *names, *rows, ""]


def _known_issues(record: RunRecord) -> list[str]:
    """What is known to be wrong upstream, and what was seen of it."""
    found = dict.fromkeys((label(case), each) for case in record.cases for each in case.known_issues)
    lines = [
        f"- {_text(each.sighting)}: {_text(name)}: {_text(each.what)} {_text(each.link)} (until {_text(each.until)})"
        for name, each in found
    ]
    return ["### Known issues upstream", "", *lines, ""] if lines else []


def _rows(details: str) -> list[str]:
    """Expected, observed, probable cause, next; nothing for a text without them."""
    found = take_apart(clean(details))
    rows = {"Expected": found.expected, "Observed": found.observed, "Probable cause": found.cause}
    lines = [f"- **{name}:** {_text(text, 1500)}" for name, text in rows.items() if text]
    if found.next_step:
        lines += ["- **Next:**", *(f"  {line}" for line in _block(found.next_step))]
    return lines


def _foot(record: RunRecord) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    proof = f"{record.proof.proven} of {record.proof.selected} cases proven able to fail. " if record.proof else ""
    lines = [f"{proof}Suite {suite(record)}, run {record.run}. {versions}".strip()]
    if record.standins:
        lines.append(
            f"Stand-ins, which show nothing about the real things: {', '.join(i.id for i in record.standins)}."
        )
    return [*(line for each in lines for line in (_text(each, 2000), "")), "Run it again:", "", *_block(record.command)]


def _annotation(group: Group) -> str:
    first = group.cases[0]
    found = take_apart(first.details)
    text = f"{group.outcome}: {bare_reason(first)}"
    rows = {"probable cause": found.cause, "next": found.next_step}
    text += "".join(f"\n{name}: {each}" for name, each in rows.items() if each)
    others = f" and {len(group.cases) - 1} more" if len(group.cases) > 1 else ""
    place = {"file": first.nodeid.partition("::")[0]} | ({"line": str(first.line)} if first.line else {})
    return _command(_COMMANDS[group.outcome], place | {"title": label(first) + others}, text)


def _command(name: str, properties: dict[str, str], text: str) -> str:
    """A command of GitHub Actions, with what would end it or its properties escaped."""
    told = clean(clipped(text, _CHARACTERS, "junit.xml"))
    data = told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    settings = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {settings}::{data}"


def _property(value: str) -> str:
    return one_line(value).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def _block(code: str) -> list[str]:
    """Code between fences that are longer than any within."""
    text = clean(clipped(code, _CHARACTERS, "junit.xml"))
    fence = "`" * max(3, *(len(each) + 1 for each in re.findall(r"`+", text)), 3)
    return [f"{fence}sh", *text.splitlines(), fence]


def _text(text: str, limit: int = 300) -> str:
    """Text on one line in which nothing is Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", one_line(text, limit))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
