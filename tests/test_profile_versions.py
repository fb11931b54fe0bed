"""Versions as components state them, held against ranges: yes, no, and could not be told."""

import pytest

from tools.profile import in_range
from tools.profile.versions import is_range


@pytest.mark.parametrize(
    ("version", "accepted", "expected"),
    [
        ("v1.36.3", ">=1.36,<1.37", True),
        ("v1.36.3", ">=1.37", False),
        ("1.36.3", "~=1.36.1", True),
        ("1.36", "==1.36.*", True),
        ("v1.33.5-gke.1125000", ">=1.33.5", True),
        ("v1.33.5-gke.1125000", ">=1.33.6", False),
        ("v1.32.7+rke2r1", ">=1.32,<1.33", True),
        ("v0.19.0-12-g0a1b2c3", ">=0.19,<0.20", True),
        # A branch's build: told only where all its patch releases are on one side.
        ("1.31-conformance", ">=1.31,<1.32", True),
        ("1.31-conformance", ">=1.32", False),
        ("1.31-conformance", ">=1.31.2", None),
        # A pre-release comes before its release.
        ("v1.34.0-rc.1", ">=1.34", False),
        ("v1.34.0-rc.1", ">=1.33", True),
        ("1.31-alpha.0e1f2a", ">=1.31", False),
        ("1.31-alpha.0e1f2a", ">=1.30", True),
        ("v0.0.0-20260827124520-eed52ebb66ad", ">=0", None),
        ("latest", ">=0", None),
        ("sha256:0123456789abcdef", ">=0", None),
        ("devel", ">=0", None),
        ("", ">=0", None),
    ],
)
def test_in_range(version: str, accepted: str, expected: bool | None) -> None:
    assert in_range(version, accepted) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">=0.19,<0.20", True),
        ("~=1.31.0", True),
        (" >= 1.2 ", True),
        ("0.19", False),
        ("", False),
        (">=x", False),
        ("^1", False),
    ],
)
def test_is_range(text: str, expected: bool) -> None:
    assert is_range(text) is expected
