"""Features in few words, for the head of a run, and the versions that they tell. Pure."""

from collections.abc import Sequence

from tools.features.feature import Feature
from tools.report.record import FeatureRecord

COMPONENTS = ("kubernetes", "kserve", "istio", "gateway-api", "inference-extension", "endpoint-picker")


def versions(features: Sequence[Feature]) -> dict[str, str]:
    """Version by component, as the record of a run has it; a component whose version is not known is absent."""
    return {component: text for each in features for component, text in each.versions.items()}


def header_lines(features: Sequence[Feature]) -> list[str]:
    """A few short lines."""
    known = versions(features)
    told = ", ".join(f"{each} {known.get(each, 'unknown')}" for each in COMPONENTS)
    rows = [f"versions: {told}"]
    for label, present in (("has", True), ("lacks", False), ("could not be told", None)):
        if names := ", ".join(each.name for each in features if each.present is present):
            rows.append(f"{label}: {names}")
    return rows


def lines(features: Sequence[Feature | FeatureRecord]) -> list[str]:
    """The full text: every feature with what was found and where."""
    words = {True: "yes", False: "no", None: "?"}
    return [f"{each.name}: {words[each.present]}: {each.have} [{each.evidence}]" for each in features]


def accelerator_real(features: Sequence[Feature | FeatureRecord], kind: str) -> bool:
    """Whether nodes offer accelerators of this kind and a real device plugin is known to stand behind them."""
    wanted = {f"accelerators-{kind}", f"device-plugin-{kind}"}
    return wanted <= {each.name for each in features if each.present}
