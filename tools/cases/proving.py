"""What a proof is made of, and what came of it: pure data and decisions; the running is in fixtures/proving.py."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.outcomes import Outcome
from tools.report.record import ProofRecord

FILE = "prove.json"
SCHEMA = 1


# A proof: case, accelerator, fault.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Seen:
    """How a case ended once.

    Attributes:
        outcome: how.
        text: the whole text of its failure, or why it did not run.
    """

    outcome: Outcome
    text: str = ""


@dataclass(frozen=True)
class ProofResult:
    """What became of the proof of one case by one fault.

    Attributes:
        case, accelerator, fault: which.
        words: what the failure had to say.
        proven: whether it passed, failed for the right reason, and passed again.
        problem: why not; empty if it is proven.
        left_out: why it could not be tried here (a requirement that is not met); such a proof counts nowhere.
        failure: the text of the failure under the fault, as a user would see it.
        seconds: of the whole proof's group.
        ended_as: the outcome that reports have for it.
    """

    case: str
    accelerator: str
    fault: str
    words: tuple[str, ...]
    proven: bool
    problem: str
    failure: str
    left_out: str = ""
    seconds: float = 0.0
    ended_as: str = Outcome.PASSED.value

    @property
    def key(self) -> Key:
        """What makes it this proof."""
        return (self.case, self.accelerator, self.fault)


def before(seen: Seen) -> str:
    """Why a case cannot be proved, because it did not pass before the fault; empty if it did."""
    return "" if seen.outcome is Outcome.PASSED else f"it did not pass before the fault: {seen.outcome}: {seen.text}"


def under(seen: Seen, words: Sequence[str]) -> str:
    """What was wrong with a case's end under the fault; empty if it failed and said all words."""
    if seen.outcome is not Outcome.FAILED:
        return f"under the fault it {_ended(seen.outcome)} instead of failing{f': {seen.text}' if seen.text else ''}"
    missing = [word for word in words if word not in seen.text]
    said = ", ".join(repr(word) for word in missing)
    return f"under the fault it failed without saying {said}:\n{seen.text}" if missing else ""


def after(seen: Seen) -> str:
    """Why the proof does not hold, because the case did not pass again; empty if it did."""
    if seen.outcome is Outcome.PASSED:
        return ""
    return f"it did not pass again after the fault: {seen.outcome}: {seen.text}"


def write(
    directory: Path, results: Iterable[ProofResult], expected: Iterable[Key], cases: int, suite: Mapping[str, str]
) -> None:
    """Write `prove.json`, whole, in place of an older one.

    Args:
        directory: of the run.
        results: all so far.
        expected: the proofs that are to come, or have.
        cases: how many cases there are, once for every accelerator.
        suite: commit and version; only the same suite may resume.
    """
    found = list(results)
    summary = rate(found, expected, cases)
    row = {
        "schema": SCHEMA,
        "suite": dict(suite),
        "proven": summary.proven,
        "selected": summary.selected,
        "cases": summary.cases,
        "rate": round(summary.proven / summary.selected, 4) if summary.selected else None,
        "proofs": [asdict(each) for each in found],
    }
    directory.mkdir(parents=True, exist_ok=True)
    part = directory / f".{FILE}.{os.getpid()}"
    part.write_text(json.dumps(row, indent=1) + "\n")
    part.rename(directory / FILE)


def rate(results: Iterable[ProofResult], expected: Iterable[Key], cases: int) -> ProofRecord:
    """Cases with all their selected proofs proven, of those selected, of all there are.

    A proof that was to come and did not (a worker died) is not proven; one that could not be tried here counts nowhere.
    """
    found = {each.key: each for each in results}
    by_case: dict[tuple[str, str], list[bool]] = {}
    for key in dict.fromkeys([*expected, *found]):
        result = found.get(key)
        if result is None or not result.left_out:
            by_case.setdefault(key[:2], []).append(result is not None and result.proven)
    return ProofRecord(sum(all(proven) for proven in by_case.values()), len(by_case), cases)


def proven_before(directory: Path, suite: Mapping[str, str]) -> list[ProofResult]:
    """Proofs of an earlier run that still hold: those that were proven, by the same suite.

    Args:
        directory: of that run.
        suite: as it is now.

    Raises:
        UserError: it has no proofs, or they are of another suite.
    """
    path = directory / FILE
    try:
        row: dict[str, Any] = json.loads(path.read_text())
        found = [ProofResult(**each | {"words": tuple(each["words"])}) for each in row["proofs"]]
    except FileNotFoundError:
        raise UserError(
            "a run with proofs to resume", f"there is no {path}", next_step="ls reports/*/prove.json"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} as `--prove` writes it", str(error)) from None
    then = row.get("suite", {})
    if {**then, "version": ""} != {**suite, "version": ""} or suite.get("dirty") == "true":
        raise UserError(
            "the same suite, profiles and cluster as the run that is resumed, without changes that are not committed",
            f"{then} then, {dict(suite)} now",
            cause="what another version, or another cluster, has proved says nothing of this one",
            next_step="--prove without --prove-resume",
        )
    return [each for each in found if each.proven]


def _ended(outcome: Outcome) -> str:
    return {Outcome.PASSED: "passed", Outcome.BROKEN: "broke"}.get(outcome, f"was {outcome}")
