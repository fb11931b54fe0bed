"""Sign-off of a finished run: the rules, what changed since a baseline, who decided, and a checksum of every file.

`signoff.json` is no cryptographic signature: it tells what was decided, on which files, and by whom. Whoever can write
to the run's directory can make another; so keep its own checksum, which the command prints, with the release.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError
from tools.records import problems
from tools.report import conformance
from tools.report.compare import compare
from tools.report.finished import SIGNOFF, FinishedRun, checksums, read_run
from tools.report.record import ProofRecord, RunRecord
from tools.report.signoff_rules import Rule, decide, rate
from tools.report.verdict import judge
from tools.report.write import RUN, write_whole

SIGNED, REFUSED = "signed off", "refused"
SCHEMA = Path(__file__).with_suffix(".schema.yaml")
_VERSION = 1
_REPORT = "conformance-report.yaml"


@dataclass(frozen=True)
class Verification:
    """A signed directory, looked at again.

    Attributes:
        decision: what was decided.
        by, at: who signed, and when.
        changed, missing: files that are not as they were signed.
        added: files that came later, which nobody signed.
    """

    decision: str
    by: str
    at: str
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether every signed file is as it was."""
        return not self.changed and not self.missing


def read_untouched(directory: Path) -> FinishedRun:
    """A run from its directory, with its files as they were when somebody decided on it, if anybody has.

    Raises:
        UserError: there is no usable run.json, or files are not as they were.
    """
    if (directory / SIGNOFF).exists():
        found = verify(directory)
        if not found.intact:
            raise UserError(
                f"the files of {directory} as they were when {found.by} decided, at {found.at}",
                f"changed or missing: {', '.join([*found.changed, *found.missing])}",
                next_step="run the cases again: nobody knows what this run has shown",
            )
    return read_run(directory)


def sign(
    run: FinishedRun, by: str, at: datetime, baseline: FinishedRun | None = None, proof: FinishedRun | None = None
) -> dict[str, Any]:
    """Decide, and write `signoff.json`, whatever was decided.

    Args:
        run: the run.
        by: who decides.
        at: when, with time zone.
        baseline: an earlier run, to tell what changed.
        proof: another run that proved the cases; by default the run itself.

    Returns:
        what was written.

    Raises:
        UserError: the run is signed off already, or the proof is of another commit.
    """
    _refuse_signed(run)
    proven = _proven(run, proof)
    rules = (*decide(run.record, run.files, at.date(), proven), _agreement(run))
    judgement = judge(run.record)
    value = {
        "schema": _VERSION,
        "decision": SIGNED if all(each.ok for each in rules) else REFUSED,
        "signed": {"by": by, "at": at.isoformat(timespec="seconds")},
        "run": _facts(run.record),
        "verdict": {"verdict": str(judgement.verdict), "reasons": list(judgement.reasons)},
        "rules": [asdict(each) for each in rules],
        "suite": dict(run.record.suite),
        "profiles": [{"name": each.name, "file": each.file, "sha256": each.sha256} for each in run.record.profiles],
        "proof": _proof(proof or run, proven),
        "baseline": _baseline(run, baseline),
        "files": dict(run.files),
    }
    # Written from data of others (contexts, versions), and read by machines: never in a shape that was not said.
    _check(value, run.directory / SIGNOFF)
    write_whole(run.directory / SIGNOFF, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    return value


def verify(directory: Path) -> Verification:
    """Hold a directory against its `signoff.json`.

    Raises:
        UserError: there is none, or it is not what `sign` writes.
    """
    value = _read(directory / SIGNOFF)
    signed, now = value["files"], checksums(directory)
    return Verification(
        value["decision"],
        value["signed"]["by"],
        value["signed"]["at"],
        changed=tuple(name for name in signed if name in now and now[name] != signed[name]),
        missing=tuple(name for name in signed if name not in now),
        added=tuple(name for name in now if name not in signed),
    )


def _read(path: Path) -> Any:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"a sign-off: {path}", "there is none", next_step="llmisvc-conformance signoff RUN") from None
    except ValueError as error:
        raise UserError(f"a sign-off in {path}", f"no JSON: {error}") from None
    _check(value, path)
    # The decision follows from the rules; one that was changed by hand does not.
    if value["decision"] == SIGNED and not all(each["ok"] for each in value["rules"]):
        raise UserError(f"a decision that follows from the rules in {path}", f"{SIGNED}, though a rule is not kept")
    return value


def _check(value: Any, path: Path) -> None:
    if wrong := problems(value, yaml.safe_load(SCHEMA.read_text())):
        lines = "\n".join(f"    - {each}" for each in wrong)
        raise UserError("a sign-off as the schema has it", f"in {path}:\n{lines}", next_step=f"see {SCHEMA}")


def _refuse_signed(run: FinishedRun) -> None:
    path = run.directory / SIGNOFF
    if path.exists() and (value := _read(path))["decision"] == SIGNED:
        raise UserError(
            f"a run that nobody has signed off yet: {run.record.run}",
            f"signed off by {value['signed']['by']} at {value['signed']['at']}, in {path}",
            next_step=f"llmisvc-conformance signoff --verify {run.directory}",
        )


def _proven(run: FinishedRun, proof: FinishedRun | None) -> ProofRecord | None:
    if proof is None:
        return run.record.proof
    ours, theirs = run.record.suite.get("commit"), proof.record.suite.get("commit")
    changes = proof.record.suite.get("dirty", "unknown")
    if ours != theirs or changes != "false":
        raise UserError(
            f"a proof by the commit of the suite that made the run, {ours}, without changes",
            f"{proof.record.run} is of {theirs}, with changes: {changes}",
            next_step="check that commit out, and make prove",
        )
    if proof.record.proof is None:
        raise UserError("a run that proved cases", f"{proof.record.run} proved none", next_step="make prove")
    return proof.record.proof


def _proof(run: FinishedRun, proven: ProofRecord | None) -> dict[str, Any] | None:
    if proven is None:
        return None
    figures = {"proven": proven.proven, "cases": proven.cases, "rate": round(rate(proven), 4)}
    return {"run": run.record.run, "sha256": run.files[RUN], **figures}


def _baseline(run: FinishedRun, baseline: FinishedRun | None) -> dict[str, Any] | None:
    if baseline is None:
        return None
    changes = asdict(compare(run.record, baseline.record))
    return {
        "run": baseline.record.run,
        "sha256": baseline.files[RUN],
        # As JSON has it: lists, so that what was written is what is read.
        "changes": {kind: list(found) for kind, found in changes.items()},
    }


def _agreement(run: FinishedRun) -> Rule:
    """A record that was changed after the run no longer says what the report beside it says."""
    need = f"{_REPORT} says what {RUN} says"
    path = run.directory / _REPORT
    if not path.exists():
        return Rule("reports-agree", False, need, f"there is no {_REPORT}")
    try:
        there = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        return Rule("reports-agree", False, need, f"no YAML: {' '.join(str(error).split())}")
    if there == yaml.safe_load(conformance.render(run.record)):
        return Rule("reports-agree", True, need, "it does")
    have = "it does not: one of them was changed since the run, or another version of the suite made them"
    return Rule("reports-agree", False, need, have)


def _facts(record: RunRecord) -> dict[str, str]:
    return {
        "id": record.run,
        "started": record.started,
        "ended": record.ended,
        "provider": record.provider,
        "context": record.context,
        "identity": record.identity,
        "target": record.target,
        "command": record.command,
    }
