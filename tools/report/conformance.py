"""`conformance-report.yaml`: the run in the shape of the Gateway API's ConformanceReport.

What that shape has no place for is under `llmisvcConformance`, in the report and in each of its profiles. The whole is
described by conformance.schema.yaml beside this file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.outcomes import Level, Outcome
from tools.report.claims import claim, claimed
from tools.report.record import CaseRecord, ProfileRecord, RunRecord
from tools.report.tally import ANSWERED, accelerators, count, label, not_passed, reason, told
from tools.report.text import clean, one_line
from tools.report.verdict import judge

FILE = "conformance-report.yaml"
SCHEMA = Path(__file__).with_suffix(".schema.yaml")
EXTENSION = "llmisvcConformance"
UNKNOWN = "unknown"
_API_VERSION = "gateway.networking.k8s.io/v1"
# The implementation under test is the one whose API the suite is about; the versions of everything else are beside it.
_IMPLEMENTATION = {
    "organization": "KServe",
    "project": "LLMInferenceService",
    "url": "https://github.com/kserve/kserve",
    "contact": ["https://github.com/kserve/kserve/issues"],
}


def render(record: RunRecord) -> str:
    """The report as YAML."""
    return yaml.safe_dump(_cleaned(report(record)), sort_keys=False, allow_unicode=True, width=120)


def report(record: RunRecord) -> dict[str, Any]:
    """The report as data."""
    judgement = judge(record)
    return {
        "apiVersion": _API_VERSION,
        "kind": "ConformanceReport",
        "date": record.ended,
        "gatewayAPIVersion": record.versions.get("gateway-api", UNKNOWN),
        "gatewayAPIChannel": record.versions.get("gateway-api-channel", UNKNOWN),
        "mode": record.provider,
        "implementation": _IMPLEMENTATION | {"version": record.versions.get("kserve", UNKNOWN)},
        "profiles": [_profile(record, each) for each in accelerators(record)],
        "succeededProvisionalTests": [],
        EXTENSION: {
            "verdict": str(judgement.verdict),
            "reasons": list(judgement.reasons),
            "run": record.run,
            "started": record.started,
            "ended": record.ended,
            "endedBy": record.ended_by,
            "trouble": list(record.trouble),
            "reproduce": record.command,
            "suite": dict(record.suite),
            "cluster": {
                "provider": record.provider,
                "context": record.context,
                "identity": record.identity,
                "stackInstalledByTheRun": record.installed,
                "target": record.target,
                "acceleratorReal": record.accelerator_real,
            },
            "versions": dict(record.versions),
            "images": dict(record.images),
            "features": [
                {"name": each.name, "present": each.present, "have": each.have, "evidence": each.evidence}
                for each in record.features
            ],
            "standIns": [
                {
                    "id": each.id,
                    "what": each.what,
                    "inPlaceOf": each.in_place_of,
                    "cannotShow": list(each.cannot_show),
                }
                for each in record.standins
            ],
            "proof": _proof(record),
        },
    }


def _profile(record: RunRecord, accelerator: str) -> dict[str, Any]:
    profile = next((each for each in record.profiles if each.accelerator == accelerator), None)
    cases = [each for each in record.cases if each.accelerator == accelerator]
    core = [each for each in cases if each.level is Level.CORE]
    extended = [each for each in cases if each.level is Level.EXTENDED]
    features = {
        "supportedFeatures": [each.name for each in record.features if each.present],
        "unsupportedFeatures": [each.name for each in record.features if each.present is False],
    }
    return {
        "name": profile.name if profile else accelerator,
        "summary": f"Core: {told(count(core))}. Extended: {told(count(extended))}.",
        "core": _status(core),
        "extended": _status(extended) | {name: each for name, each in features.items() if each},
        EXTENSION: {
            "accelerator": accelerator,
            **(_file(profile) if profile else {}),
            "claims": [
                {"key": key, "words": words, "standing": str(claim(record, key, accelerator).standing)}
                for key, words in claimed(record, accelerator).items()
            ],
            "outcomes": {str(outcome): count(cases)[outcome] for outcome in Outcome},
            "notPassed": [_entry(each) for each in not_passed(record) if each.accelerator == accelerator],
            "knownIssues": [
                {"name": label(case), "what": one_line(each.what), "link": each.link}
                | {"until": each.until, "sighting": str(each.sighting)}
                for case in cases
                for each in case.known_issues
            ],
            "measures": [
                {"case": label(case), "what": each.what, "seconds": each.seconds, "budget": each.budget}
                | ({"note": each.note} if each.note else {})
                for case in cases
                for each in case.measures
            ],
        },
    }


def _status(cases: list[CaseRecord]) -> dict[str, Any]:
    """The statistics of a level; what gave no answer is skipped there: no pass, and no failure of the product."""
    counts = count(cases)
    skipped = [label(each) for each in cases if each.outcome not in ANSWERED]
    failed = [label(each) for each in cases if each.outcome is Outcome.FAILED]
    return {
        "result": _result(cases),
        "statistics": {"Passed": counts[Outcome.PASSED], "Failed": len(failed), "Skipped": len(skipped)},
        **({"failedTests": failed} if failed else {}),
        **({"skippedTests": skipped} if skipped else {}),
    }


def _result(cases: list[CaseRecord]) -> str:
    outcomes = {each.outcome for each in cases}
    if Outcome.FAILED in outcomes:
        return "failure"
    # Also when there is none: nothing that was executed is nothing that was shown.
    return "success" if outcomes == {Outcome.PASSED} else "partial"


def _file(profile: ProfileRecord) -> dict[str, Any]:
    return {
        "file": profile.file,
        "sha256": profile.sha256,
        "signoff": dict(profile.signoff),
        "acceptedVersions": dict(profile.versions),
    }


def _entry(case: CaseRecord) -> dict[str, str]:
    return {
        "name": label(case),
        "level": str(case.level),
        "outcome": str(case.outcome),
        "reason": one_line(reason(case)),
    }


def _proof(record: RunRecord) -> dict[str, int] | None:
    if record.proof is None:
        return None
    return {"proven": record.proof.proven, "selected": record.proof.selected, "cases": record.proof.cases}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value
