"""The versions of the cluster held against the ranges of the profiles."""

from tools.profile.versions import in_range, is_range
from tools.report.record import RunRecord


def misfits(record: RunRecord) -> list[str]:
    """A sentence for every component whose version is unknown or outside a profile's range."""
    return [
        text
        for profile in record.profiles
        for component, accepted in profile.versions.items()
        if (text := _misfit(component, accepted, _found(record, component)))
    ]


def _found(record: RunRecord, component: str) -> str:
    # A profile's keys have underscores where the names of features have dashes.
    return record.versions.get(component) or record.versions.get(component.replace("_", "-"), "")


def _misfit(component: str, accepted: str, found: str) -> str:
    if not found:
        return f"The version of {component} could not be told; the profile accepts {accepted}."
    fits = in_range(found, accepted) if is_range(accepted) else None
    if fits is None:
        return f"Whether {component} {found} is in {accepted} could not be told."
    return "" if fits else f"{component} {found} is outside the profile's {accepted}."
