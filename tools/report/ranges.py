"""The versions of the cluster held against the ranges of the profiles."""

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from tools.report.record import RunRecord


def misfits(record: RunRecord) -> list[str]:
    """A sentence for every component whose version is unknown or outside the profile's range."""
    return [
        text
        for profile in record.profiles
        for component, accepted in profile.versions.items()
        if (text := _misfit(component, accepted, record.versions.get(component, "")))
    ]


def _misfit(component: str, accepted: str, found: str) -> str:
    if not found:
        return f"The version of {component} could not be told; the profile accepts {accepted}."
    try:
        fits = SpecifierSet(accepted).contains(Version(found), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return f"The version {found} of {component} cannot be compared with {accepted}."
    return "" if fits else f"{component} {found} is outside the profile's {accepted}."
