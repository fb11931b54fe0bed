"""What Allure is told of a run beside its cases: categories, environment, executor and facts; and the record's word.

allure-pytest writes a result for each case that pytest began. It knows neither `not supported` nor `not run`, and a
case that was never begun has no result at all: `write_into` makes the results say what the record says.
"""

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.report import allure_results
from tools.report.page.banner import elapsed
from tools.report.record import RunRecord, StandInRecord
from tools.report.tally import suite
from tools.report.text import clean, one_line
from tools.report.verdict import FINISHED, judge
from tools.report.write import write_whole

# The first that fits wins. Read by Allure 2 from categories.json, and by Allure 3 from the configuration that
# tools.report.render_allure makes of it.
CATEGORIES: list[dict[str, Any]] = [
    {"name": "Product: a promise is broken", "matchedStatuses": ["failed"]},
    {"name": "Known issue upstream", "matchedStatuses": ["skipped"], "messageRegex": r"^known issue: [\s\S]*"},
    {"name": "Broken: suite or cluster could not tell", "matchedStatuses": ["broken"]},
    {"name": "Not run: what it rests on failed before", "matchedStatuses": ["unknown"]},
    {
        "name": "Not supported by this cluster",
        "matchedStatuses": ["skipped"],
        "messageRegex": r"^not supported: [\s\S]*",
    },
    {"name": "Skipped by a person", "matchedStatuses": ["skipped"], "messageRegex": r"^skipped: [\s\S]*"},
]
_ASCII = 128


def environment(record: RunRecord) -> str:
    """`environment.properties`: what it was that was tested, and on what."""
    facts = {
        "verdict": str(judge(record).verdict),
        "run": record.run,
        **{f"profile.{each.accelerator}": each.name for each in record.profiles},
        "cluster": f"{record.provider} {record.context}".strip(),
        "target": record.target,
        "took": elapsed(record),
        "suite": suite(record),
        **{f"version.{name}": version for name, version in record.versions.items()},
        "accelerators": "real" if record.accelerator_real else "not there",
        "stand-ins": ", ".join(each.id for each in record.standins) or "none",
        "proven": f"{record.proof.proven} of {record.proof.selected}" if record.proof else "not tried",
        "reproduce": record.command,
    }
    return "".join(f"{_escaped(name, key=True)} = {_escaped(value)}\n" for name, value in facts.items() if value)


def executor(record: RunRecord, environ: Mapping[str, str]) -> dict[str, Any]:
    """`executor.json`: who ran it.

    Args:
        record: of the run.
        environ: environment variables; those of GitHub Actions are understood.
    """
    found: dict[str, Any] = {
        "name": "llmisvc-conformance",
        "type": record.provider,
        "buildName": record.run,
        "reportName": f"{judge(record).verdict}: {', '.join(each.name for each in record.profiles) or record.run}",
    }
    if environ.get("GITHUB_ACTIONS") != "true":
        return found
    base = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
    number = environ.get("GITHUB_RUN_NUMBER", "")
    return found | {
        "name": "GitHub Actions",
        "type": "github",
        "buildName": f"{environ.get('GITHUB_WORKFLOW', '')} #{number}, run {record.run}",
        "buildUrl": f"{base}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}",
        **({"buildOrder": int(number)} if number.isdecimal() else {}),
    }


def facts(record: RunRecord) -> dict[str, str]:
    """Texts about the whole run, by title."""
    words = {True: "yes", False: "no", None: "could not be told"}
    judgement = judge(record)
    found = {
        "verdict and reasons": [str(judgement.verdict), *(f"- {each}" for each in judgement.reasons)],
        "what stands in for the real things": [line for each in record.standins for line in _standin(each)],
        "features of the cluster": [
            f"{each.name}: {words[each.present]}: {each.have} [{each.evidence}]" for each in record.features
        ],
        "images": [f"{name}: {image}" for name, image in record.images.items()],
    }
    return {title: "\n".join(lines) for title, lines in found.items() if lines}


def _standin(found: StandInRecord) -> list[str]:
    head = [f"{found.id}: {found.what}", f"  in place of {found.in_place_of}"]
    return [*head, *(f"  cannot show: {text}" for text in found.cannot_show)]


def write_into(record: RunRecord, results: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Complete a directory of Allure's results; done a second time, it changes nothing.

    Args:
        record: of the run.
        results: the directory; made if it is not there.
        environ: environment variables, for who ran it.

    Returns:
        what could not be done, one line each.
    """
    files = {
        "categories.json": json.dumps(CATEGORIES, indent=1),
        "environment.properties": environment(record),
        "executor.json": json.dumps(executor(record, environ), indent=1),
        **_globals(record),
    }
    try:
        files |= _cases(record, results)
        for name, text in files.items():
            write_whole(results / name, text)
    except Exception as error:
        # As for every report: a bug here must not cost the run's exit status.
        return (f"Allure's results were not completed: {one_line(f'{type(error).__name__}: {error}')}",)
    return ()


def _cases(record: RunRecord, results: Path) -> dict[str, str]:
    """Results that have to say something else than they do, and those of cases that have none."""
    cases = {allure_results.key(each): each for each in record.cases}
    files: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for path in sorted(results.glob("*-result.json")):
        result = _read(path)
        key = allure_results.key_of(result)
        if key in cases:
            seen.add(key)
            files[path.name] = json.dumps(allure_results.agreed(result, cases[key]))
    for key, case in cases.items():
        if key not in seen:
            result = allure_results.missing(case, record)
            files[f"{result['uuid']}-result.json"] = json.dumps(result)
    return files


def _read(path: Path) -> dict[str, Any]:
    """A result; nothing for one that a killed worker left in the middle."""
    try:
        found = json.loads(path.read_text())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _globals(record: RunRecord) -> dict[str, str]:
    files: dict[str, str] = {}
    attachments = []
    for title, text in facts(record).items():
        source = f"{uuid.uuid5(uuid.NAMESPACE_OID, record.run + title)}-attachment.txt"
        files[source] = clean(text)
        attachments.append({"name": title, "source": source, "type": "text/plain"})
    ended = [] if record.ended_by == FINISHED else [record.ended_by]
    errors = [{"message": clean(each)} for each in [*ended, *record.trouble]]
    name = f"{uuid.uuid5(uuid.NAMESPACE_OID, record.run)}-globals.json"
    return files | {name: json.dumps({"attachments": attachments, "errors": errors})}


def _escaped(text: str, key: bool = False) -> str:
    """Text of a Java properties file, on one line and in ASCII."""
    line = one_line(text, 1000).replace("\\", "\\\\")
    line = re.sub(r"([ :=#!])", r"\\\1", line) if key else line
    units = line.encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if code < _ASCII else f"\\u{code:04x}" for code in codes)
