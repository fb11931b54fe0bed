"""Known issues: what is wrong upstream, by the words of the failure that it makes, from a file alone."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tools.features.summary import COMPONENTS
from tools.outcomes import Sighting
from tools.paths import CHECKOUT
from tools.profile.versions import in_range, is_range
from tools.records import Problem, nearest
from tools.yamlfile import read_yaml

KNOWN_ISSUES = CHECKOUT / "manifests" / "known-issues.yaml"

_DATE = {"type": "string", "format": "date", "examples": ["2026-12-31"]}
_SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["case", "words", "link", "what", "versions", "since", "expires"],
        "properties": {
            "case": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$", "examples": ["pool-selects-servers"]},
            "accelerator": {"enum": ["gpu", "tpu"]},
            "words": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "pattern": r"\S", "examples": ["404"]},
            },
            "link": {"type": "string", "pattern": r"^https?://[^\s/]+/\S+$", "examples": ["https://example.com/1"]},
            "what": {"type": "string", "pattern": r"\S+\s+\S+", "examples": ["The gateway answers for both."]},
            "versions": {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {each: {"type": "string", "examples": [">=1.29"]} for each in COMPONENTS},
            },
            "since": _DATE,
            "expires": _DATE,
        },
    },
}
_NEXT = "the head of manifests/known-issues.yaml has an example"


@dataclass(frozen=True)
class KnownIssue:
    """An entry of the file.

    Attributes:
        case: stable name of the case that fails because of it.
        accelerator: `gpu` or `tpu`; empty for both.
        words: what the failure says, all of it.
        link: URL where it is being solved upstream.
        what: what is wrong, in a sentence.
        versions: component to range; it is there in these versions alone.
        since: the day on which it was first seen.
        expires: the last day on which the entry holds.
        where: `FILE:LINE:COLUMN`.
    """

    case: str
    accelerator: str
    words: tuple[str, ...]
    link: str
    what: str
    versions: Mapping[str, str]
    since: date
    expires: date
    where: str

    def is_about(self, case: str, accelerator: str, versions: Mapping[str, str]) -> bool:
        """Whether it is to be expected of a case on a cluster with these versions; one that is not known is not."""
        fits = all(in_range(versions.get(name, ""), accepted) is True for name, accepted in self.versions.items())
        return self.case == case and self.accelerator in ("", accelerator) and fits

    def is_told_by(self, failure: str) -> bool:
        """Whether a failure's text has all of its words, wherever its lines are broken."""
        text = " ".join(failure.split())
        return all(" ".join(each.split()) in text for each in self.words)


@dataclass(frozen=True)
class Sighted:
    """A known issue, and what was seen of it."""

    issue: KnownIssue
    sighting: Sighting

    @property
    def text(self) -> str:
        """What to tell of it, in one line."""
        issue = self.issue
        told = f"{issue.what} ({issue.link}; since {issue.since}, until {issue.expires}; {issue.where})"
        match self.sighting:
            case Sighting.SEEN:
                return told
            case Sighting.NOT_SEEN:
                return f"a known issue was not seen, next: remove its entry: {told}"
            case Sighting.ANOTHER:
                return f"this is not the known issue of the case, whose words are {_quoted(issue.words)}: {told}"
            case Sighting.EXPIRED:
                return f"a known issue has expired, next: see whether it is solved, and remove its entry: {told}"


def load_known_issues(
    path: Path = KNOWN_ISSUES, known: Callable[[], Collection[str]] | None = None
) -> tuple[KnownIssue, ...]:
    """The entries of a file, in its order.

    Args:
        path: the file.
        known: gives the names of all cases, and is asked only where there is a name to compare; None compares none.

    Raises:
        UserError: an entry lacks something, has something unknown, or is about no case; all of it is told, and where.
    """
    file = read_yaml(path, "a list of known issues, each with case, words, link, what, versions, since and expires")
    entries = [(at, each) for at, each in enumerate(file.value or []) if isinstance(each, dict)]
    wrong = [*_ranges(entries), *(_unknown(entries, known()) if known and entries else ())]
    file.check(_SCHEMA, wrong, next_step=_NEXT)
    return tuple(_issue(entry, file.where((at,))) for at, entry in entries)


def sightings(
    issues: Iterable[KnownIssue],
    case: str,
    accelerator: str,
    versions: Mapping[str, str],
    today: date,
    failure: str | None,
) -> tuple[Sighted, ...]:
    """What a case's end says of the known issues that are to be expected of it.

    Args:
        issues: the entries.
        case: its stable name.
        accelerator: for which it ran.
        versions: of the cluster's components, as found.
        today: the day of the run.
        failure: the text of its failure; None if it passed.

    Returns:
        those seen alone, if any was; else all.
    """
    expected = [each for each in issues if each.is_about(case, accelerator, versions)]
    if failure is None:
        return tuple(Sighted(each, Sighting.NOT_SEEN) for each in expected)
    found = [Sighted(each, _of_failure(each, today, failure)) for each in expected]
    seen = tuple(each for each in found if each.sighting is Sighting.SEEN)
    return seen or tuple(found)


def _of_failure(issue: KnownIssue, today: date, failure: str) -> Sighting:
    if not issue.is_told_by(failure):
        return Sighting.ANOTHER
    return Sighting.SEEN if today <= issue.expires else Sighting.EXPIRED


def _issue(entry: Mapping[str, Any], where: str) -> KnownIssue:
    return KnownIssue(
        entry["case"],
        entry.get("accelerator", ""),
        tuple(entry["words"]),
        entry["link"],
        " ".join(entry["what"].split()),
        dict(entry["versions"]),
        date.fromisoformat(entry["since"]),
        date.fromisoformat(entry["expires"]),
        where,
    )


def _ranges(entries: list[tuple[int, dict[str, Any]]]) -> Iterator[Problem]:
    for at, entry in entries:
        found = entry.get("versions")
        for name, text in found.items() if isinstance(found, dict) else ():
            if isinstance(text, str) and not is_range(text):
                yield Problem((at, "versions", name), f"{text!r} is no range of versions, for example >=1.29,<1.32")


def _unknown(entries: list[tuple[int, dict[str, Any]]], known: Collection[str]) -> Iterator[Problem]:
    for at, entry in entries:
        name = entry.get("case")
        if isinstance(name, str) and name not in known:
            yield Problem((at, "case"), f"there is no case {name!r}{nearest(name, known)}")


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(repr(each) for each in words)
