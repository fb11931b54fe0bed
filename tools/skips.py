"""Cases that people leave out: from a file alone, each with a reason, an issue and the date at which that ends."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tools.paths import CHECKOUT
from tools.records import Problem, nearest
from tools.yamlfile import YamlFile, read_yaml

SKIPS = CHECKOUT / "manifests" / "skips.yaml"

_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["case", "reason", "issue", "expires"],
        "properties": {
            "case": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$", "examples": ["pool-selects-servers"]},
            "accelerator": {"enum": ["gpu", "tpu"]},
            "reason": {"type": "string", "pattern": r"\S+\s+\S+", "examples": ["Waits for a fix of the driver."]},
            "issue": {"type": "string", "pattern": r"^https?://[^\s/]+/\S+$", "examples": ["https://example.com/1"]},
            "expires": {"type": "string", "format": "date", "examples": ["2026-12-31"]},
        },
    },
}
_NEXT = "the head of manifests/skips.yaml has an example"


@dataclass(frozen=True)
class Skip:
    """An entry of the file.

    Attributes:
        case: stable name of the case.
        accelerator: `gpu` or `tpu`; empty for both.
        reason: why.
        issue: URL of the issue that ends it.
        expires: the last day on which it holds.
        where: `FILE:LINE:COLUMN`.
    """

    case: str
    accelerator: str
    reason: str
    issue: str
    expires: date
    where: str

    def covers(self, case: str, accelerator: str) -> bool:
        """Whether it is about a case for an accelerator."""
        return self.case == case and self.accelerator in ("", accelerator)


@dataclass(frozen=True)
class SkipDecision:
    """What the file says of a case; neither flag if nothing.

    Attributes:
        skipped: leave the case out.
        expired: it was left out, for too long: it fails.
        text: why, and which entry says so.
    """

    skipped: bool = False
    expired: bool = False
    text: str = ""


# How the text of an expired skip begins, so that reports can tell it from a promise that is broken.
_EXPIRED = "the skip of this case has expired"


def has_expired(text: str) -> bool:
    """Whether a case failed with this text because its skip has expired."""
    return text.startswith(_EXPIRED)


def load_skips(path: Path = SKIPS, known: Collection[str] | None = None) -> tuple[Skip, ...]:
    """The entries of a file, in its order.

    Args:
        path: the file.
        known: names of all cases; None where they are not known.

    Raises:
        UserError: an entry lacks something, is there twice, or is about no case; with all that is wrong, and where.
    """
    file = read_yaml(path, "a list of skips, each with case, reason, issue and expires")
    entries = list(_mappings(file.value))
    wrong = [*_twice(file, entries), *(() if known is None else _unknown(entries, known))]
    file.check(_SCHEMA, wrong, next_step=_NEXT)
    return tuple(_skip(entry, file.where((index,))) for index, entry in entries)


def decide(skips: Iterable[Skip], case: str, accelerator: str, today: date) -> SkipDecision:
    """What people say of a case.

    Args:
        skips: the entries.
        case: its stable name.
        accelerator: for which it is to run.
        today: the day of the run.
    """
    for skip in skips:
        if skip.covers(case, accelerator):
            told = f"{skip.reason} ({skip.issue}; {skip.where})"
            if today <= skip.expires:
                return SkipDecision(skipped=True, text=f"skipped until {skip.expires}: {told}")
            text = f"{_EXPIRED}: its last day was {skip.expires}, today is {today}. It said: {told}"
            return SkipDecision(
                expired=True, text=f"{text}; next: see whether the issue is solved, and remove the entry"
            )
    return SkipDecision()


def _skip(entry: Mapping[str, str], where: str) -> Skip:
    expires = date.fromisoformat(entry["expires"])
    reason = " ".join(entry["reason"].split())
    return Skip(entry["case"], entry.get("accelerator", ""), reason, entry["issue"], expires, where)


def _mappings(entries: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield index, entry


def _twice(file: YamlFile, entries: list[tuple[int, Mapping[str, Any]]]) -> Iterator[Problem]:
    """Two entries for one case and accelerator: which of them would hold?"""
    for place, (index, entry) in enumerate(entries):
        for earlier, other in entries[:place]:
            both = {str(entry.get("accelerator", "")), str(other.get("accelerator", ""))}
            if entry.get("case") == other.get("case") and (len(both) == 1 or "" in both):
                yield Problem(
                    (index,), f"an entry for {entry.get('case')} for the second time; see {file.where((earlier,))}"
                )
                break


def _unknown(entries: list[tuple[int, Mapping[str, Any]]], known: Collection[str]) -> Iterator[Problem]:
    for index, entry in entries:
        name = entry.get("case")
        if isinstance(name, str) and name not in known:
            yield Problem((index, "case"), f"there is no case {name!r}{nearest(name, known)}")
