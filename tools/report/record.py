"""The record of a run: everything that any report says, as plain data; written as `run.json`.

Nothing here is decided: the verdict is `tools.report.verdict`'s, the pages are other modules'.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tools.outcomes import Level, Outcome

SCHEMA = 1


@dataclass(frozen=True)
class Measure:
    """A number of a case.

    Attributes:
        what: in words, always the same for the same number.
        seconds: its value.
        budget: what it may be, in seconds.
        note: what else belongs to it.
    """

    what: str
    seconds: float
    budget: float
    note: str = ""


@dataclass(frozen=True)
class KnownIssueRecord:
    """An entry of manifests/known-issues.yaml that is about a case on this cluster.

    Attributes:
        what: is wrong upstream, in a sentence.
        link: URL where it is being solved.
        until: the last day on which the entry holds, `YYYY-MM-DD`.
        where: `FILE:LINE:COLUMN` of the entry.
        sighting: what the run saw of it, one of `tools.outcomes.Sighting`.
    """

    what: str
    link: str
    until: str
    where: str
    sighting: str


@dataclass(frozen=True)
class CaseRecord:
    """A case for one accelerator, and how it ended.

    Attributes:
        name: the case's stable short name, for example `pool-selects-servers`.
        accelerator: `gpu` or `tpu`.
        area: directory below suites/.
        level: core or extended.
        promise: the docstring.
        nodeid: pytest's id.
        outcome: how it ended.
        seconds: of its setup and call together.
        message: one line: what was wrong, or why it did not run; empty for a pass.
        details: the whole text (expected, observed, probable cause, next); empty for a pass.
        checks: the profile's claims that it checks (keys of `RunRecord.claims`).
        measures: numbers with their budgets.
        evidence: files, relative to the run's directory.
        line: where the case begins in its file, from 1; 0 if unknown.
        known_issues: that are to be expected of it here, and what was seen of them.
    """

    name: str
    accelerator: str
    area: str
    level: Level
    promise: str
    nodeid: str
    outcome: Outcome
    seconds: float
    message: str = ""
    details: str = ""
    checks: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    evidence: tuple[str, ...] = ()
    line: int = 0
    known_issues: tuple[KnownIssueRecord, ...] = ()


@dataclass(frozen=True)
class FeatureRecord:
    """Something that the cluster has or lacks.

    Attributes:
        name: stable short name, for example `inference-pool-v1`.
        present: True, False, or None where it could not be told.
        have: what was found, in words.
        evidence: where and how it was found.
    """

    name: str
    present: bool | None
    have: str
    evidence: str


@dataclass(frozen=True)
class ProfileRecord:
    """A profile of the run.

    Attributes:
        name: its name.
        file: path as given or relative to the checkout.
        sha256: of the file.
        accelerator: `gpu` or `tpu`.
        signoff: its sign-off rules (`minimum_executed`: int, and others).
        versions: component to the accepted range, for example `kserve: ">=0.19,<0.20"`.
        claims: what this profile claims, in words, by key; empty if only the run's claims are known.
    """

    name: str
    file: str
    sha256: str
    accelerator: str
    signoff: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StandInRecord:
    """A stand-in that was in use, as in manifests/stack/standins.yaml."""

    id: str
    what: str
    in_place_of: str
    cannot_show: tuple[str, ...]


@dataclass(frozen=True)
class ProofRecord:
    """What `--prove` showed.

    Attributes:
        proven: cases that were seen to pass, fail under their fault with the expected words, and pass again.
        selected: cases that were to be proven in this run.
        cases: cases that there are.
    """

    proven: int
    selected: int
    cases: int


@dataclass(frozen=True)
class RunRecord:
    """A run.

    Attributes:
        run: id; sorts by time.
        started, ended: RFC 3339, UTC.
        command: to run the same again, as one shell line without secrets.
        suite: `version`, `commit`, `dirty` ("true" | "false") of the checkout.
        provider: `local`, `existing` or `kind`.
        context: of the kubeconfig; empty if the cluster never came up.
        identity: UID of the namespace kube-system; empty if unknown.
        installed: whether the run installed the stack itself.
        target: `NAMESPACE/NAME` of the audited service, or empty when the run deployed its own.
        ended_by: `finished`, or why the run ended early in one sentence (interrupted, cluster never came up, …).
        trouble: what the run could not do or left behind (removal, evidence), one line each.
        profiles: what was promised.
        claims: for each claim of the profiles, in words, by key: `sidecars`, `strict-mtls`, `default-deny`, …
        versions: component to version as found on the cluster.
        images: container (`NAMESPACE/POD/CONTAINER` or a role) to image with digest, as found on the cluster.
        features: detected.
        standins: what stood in for the real things; empty on a cluster that has none.
        accelerator_real: whether the accelerators of the profile were really there (no stand-in).
        cases: all collected cases of the selection, in order, those that did not run included.
        proof: of this run, if it proved anything.
        ended_text: of a run that ended early: the whole text (expected, observed, probable cause, next); else empty.
    """

    run: str
    started: str
    ended: str
    command: str
    suite: Mapping[str, str]
    provider: str
    context: str
    identity: str
    installed: bool
    target: str
    ended_by: str
    trouble: tuple[str, ...]
    profiles: tuple[ProfileRecord, ...]
    claims: Mapping[str, str]
    versions: Mapping[str, str]
    images: Mapping[str, str]
    features: tuple[FeatureRecord, ...]
    standins: tuple[StandInRecord, ...]
    accelerator_real: bool
    cases: tuple[CaseRecord, ...]
    proof: ProofRecord | None = None
    ended_text: str = ""


def dump(record: RunRecord) -> dict[str, Any]:
    """The record as JSON has it."""
    return {"schema": SCHEMA} | asdict(record)


def load(data: Mapping[str, Any]) -> RunRecord:
    """The record from what `dump` made.

    Raises:
        ValueError: of another schema, or not such a record.
    """
    if data.get("schema") != SCHEMA:
        raise ValueError(f"run record of schema {SCHEMA} expected, this one has {data.get('schema')!r}")
    try:
        return RunRecord(
            **{
                **{each.name: data[each.name] for each in fields(RunRecord) if each.name in data},
                "trouble": tuple(data["trouble"]),
                "profiles": tuple(ProfileRecord(**each) for each in data["profiles"]),
                "features": tuple(FeatureRecord(**each) for each in data["features"]),
                "standins": tuple(
                    StandInRecord(**each | {"cannot_show": tuple(each["cannot_show"])}) for each in data["standins"]
                ),
                "cases": tuple(_case(each) for each in data["cases"]),
                "proof": ProofRecord(**data["proof"]) if data.get("proof") else None,
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a run record: {error}") from None


def _case(data: Mapping[str, Any]) -> CaseRecord:
    return CaseRecord(
        **{
            **data,
            "level": Level(data["level"]),
            "outcome": Outcome(data["outcome"]),
            "checks": tuple(data["checks"]),
            "measures": tuple(Measure(**each) for each in data["measures"]),
            "evidence": tuple(data["evidence"]),
            "known_issues": tuple(KnownIssueRecord(**each) for each in data.get("known_issues", ())),
        }
    )
