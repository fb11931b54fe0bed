"""Versions that work together, and what to install where they do not."""

import pytest

from tools.platform.compatibility import Versions, misfits

FITS = {
    "0.16.0": Versions("0.16.0", "1.27.3", "1.2.1", "", "0.3.0"),
    "0.17.1": Versions("0.17.1", "1.28.0", "1.4.1", "1.3.0", "1.3.0"),
    "0.19.0": Versions("0.19.0", "1.31", "1.6.0", "1.5.0", "1.3.1"),
    "0.20.0": Versions("0.20.0", "1.28.2", "1.5.1", "1.5.0", ""),
    "unknown": Versions(),
}


@pytest.mark.parametrize("name", FITS)
def test_what_was_built_together_fits(name: str) -> None:
    assert misfits(FITS[name]) == []


@pytest.mark.parametrize(
    ("found", "seen", "fix"),
    [
        (Versions("0.15.2"), "KServe 0.15.2", "install KServe 0.20"),
        (Versions("0.20.0", gateway_api="1.4.1"), "Gateway API 1.4.1 under KServe 0.20.0", "Gateway API v1.5.1"),
        (Versions("0.19.0", gateway_api="1.2.1"), "Gateway API 1.2.1", "Gateway API v1.4.1"),
        (Versions("0.18.0", pool="1.0.1"), "InferencePool of Inference Extension 1.0.1", "Extension v1.3.1"),
        (Versions("0.16.0", old_pool="0.2.0"), "Inference Extension 0.2.0", "Extension v0.3.0"),
        (Versions("0.19.0", "1.27.1"), "Istio 1.27.1 under KServe 0.19.0", "install Istio 1.28 or newer"),
        (Versions("0.17.0", "1.26.0"), "Istio 1.26.0", "install Istio 1.28 or newer"),
        (Versions("0.16.0", "1.28.0"), "Istio 1.28.0 under KServe 0.16.0", "KServe 0.17 or newer, or Istio 1.27"),
        (Versions("", "1.27.0"), "Istio 1.27.0", "install Istio 1.28 or newer"),
    ],
)
def test_what_does_not_fit_has_its_fix(found: Versions, seen: str, fix: str) -> None:
    (trouble,) = misfits(found)
    assert seen in trouble.seen
    assert fix in trouble.next_step
