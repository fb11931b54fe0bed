"""Versions as components state them, held against a range of a profile."""

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

# Three numbers at most, then what a vendor or a build put behind them.
_VERSION = re.compile(r"v?(?P<release>\d+(?:\.\d+){1,2})(?:[-+.](?P<suffix>.*))?")
_PRERELEASE = re.compile(r"(alpha|beta|rc|dev|pre)\b|(alpha|beta|rc|dev|pre)\d")
# `1.31` of a branch's build stands for any patch release of 1.31.
_LAST_PATCH = 999_999


def in_range(version: str, accepted: str) -> bool | None:
    """Whether a version is in a range; None where it could not be told.

    A vendor's suffix (`v1.33.5-gke.1100`, `1.31-conformance`) does not matter, a pre-release comes before its release,
    and a version without patch number is told only where all its patch releases are on the same side.

    Args:
        version: as the component states it, for example `v1.36.3`.
        accepted: a valid range, for example `>=1.34,<1.37`.
    """
    accepting = SpecifierSet(accepted)
    told = {accepting.contains(each, prereleases=True) for each in _candidates(version)}
    return told.pop() if len(told) == 1 else None


def is_range(text: str) -> bool:
    """Whether a text is a range that says something."""
    try:
        return bool(list(SpecifierSet(text)))
    except InvalidSpecifier:
        return False


def _candidates(text: str) -> list[Version]:
    found = _VERSION.fullmatch(text.strip())
    # A pseudo-version (v0.0.0-20260101…) says when the code was written, not which release it is.
    if not found or set(found["release"]) <= {"0", "."}:
        return []
    release, suffix = found["release"], found["suffix"] or ""
    if _PRERELEASE.match(suffix):
        try:
            return [Version(f"{release}-{suffix}")]
        except InvalidVersion:
            release += "a0"
    elif release.count(".") == 1:
        return [Version(f"{release}.0"), Version(f"{release}.{_LAST_PATCH}")]
    return [Version(release)]
