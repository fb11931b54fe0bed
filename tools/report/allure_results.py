"""Allure's result of a case, made to say what the run's record says. Pure."""

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any

from tools.outcomes import Level, Outcome
from tools.report.claims import claimed
from tools.report.record import CaseRecord, RunRecord
from tools.report.tally import bare_reason, label
from tools.report.text import clean

# Allure has no words of its own for the last two, nor for what is known.
_STATUS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.BROKEN: "broken",
    Outcome.KNOWN_ISSUE: "skipped",
    Outcome.SKIPPED: "skipped",
    Outcome.NOT_SUPPORTED: "skipped",
    Outcome.NOT_RUN: "unknown",
}
_OUTCOME = "outcome"
_PREFIXED = (Outcome.KNOWN_ISSUE, Outcome.BROKEN, Outcome.SKIPPED, Outcome.NOT_SUPPORTED, Outcome.NOT_RUN)
_NODEID = re.compile(r"(?P<file>[^:]+)\.py::(?P<function>[^\[]+)")


def key(case: CaseRecord) -> tuple[str, str]:
    """What a case and its result have in common: allure-pytest's full name of the function, and the accelerator."""
    return _full_name(case.nodeid), case.accelerator


def key_of(result: dict[str, Any]) -> tuple[str, str]:
    """The same of a result."""
    parameters = {each["name"]: each["value"] for each in result.get("parameters") or []}
    return result.get("fullName", ""), str(parameters.get("accelerator", "")).strip("'")


def agreed(result: dict[str, Any], case: CaseRecord) -> dict[str, Any]:
    """The result with the case's outcome and words; everything else is left as it is."""
    others = [each for each in result.get("labels", []) if each["name"] != _OUTCOME]
    found = result | {
        "name": _title(case),
        "status": _STATUS[case.outcome],
        "labels": [*others, {"name": _OUTCOME, "value": str(case.outcome)}],
    }
    if case.outcome is not Outcome.PASSED:
        details = result.get("statusDetails") or {}
        found["statusDetails"] = details | {"message": _message(case, details.get("message", ""))}
    if case.outcome is Outcome.KNOWN_ISSUE:
        found["statusDetails"] |= {"known": True}
        links = [each for each in result.get("links") or [] if each.get("type") != "issue"]
        found["links"] = [
            *links,
            *({"type": "issue", "name": each.what, "url": each.link} for each in case.known_issues),
        ]
    return found


def missing(case: CaseRecord, record: RunRecord) -> dict[str, Any]:
    """A result for a case that pytest never began, so that it is missing in no report."""
    full_name, _ = key(case)
    package, _, module = full_name.partition("#")[0].rpartition(".")
    at = _milliseconds(record.ended)
    labels = {
        "epic": f"LLMInferenceService on {case.accelerator.upper()}",
        "feature": case.area,
        "severity": "critical" if case.level is Level.CORE else "normal",
        "tag": str(case.level),
        "parentSuite": package,
        "suite": module,
        "framework": "pytest",
    }
    words = claimed(record, case.accelerator)
    stories = [words[each] for each in case.checks if each in words] or [case.promise]
    result = {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, record.run + label(case))),
        "fullName": full_name,
        "testCaseId": hashlib.md5(full_name.encode(), usedforsecurity=False).hexdigest(),
        "description": clean(case.promise),
        "stage": "finished",
        "start": at,
        "stop": at,
        "parameters": [{"name": "accelerator", "value": repr(case.accelerator)}],
        "labels": [
            {"name": name, "value": value}
            for name, value in [*labels.items(), *(("story", clean(each)) for each in stories)]
        ],
        "statusDetails": {"trace": clean(case.details)} if case.details else {},
    }
    return agreed(result, case)


def _title(case: CaseRecord) -> str:
    return f"{case.name} [{case.accelerator}]"


def _message(case: CaseRecord, told: str) -> str:
    if case.outcome in _PREFIXED:
        return clean(f"{case.outcome}: {bare_reason(case)}")
    # The whole text, with probable cause and next command, where Allure shows a message.
    return clean(case.details or case.message or told)


def _full_name(nodeid: str) -> str:
    found = _NODEID.match(nodeid)
    return f"{found['file'].replace('/', '.')}#{found['function']}" if found else nodeid


def _milliseconds(time: str) -> int:
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    except ValueError:
        return 0
