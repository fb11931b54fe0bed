"""Profiles: both local ones load, and a wrong one is refused in the user's terms."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.errors import UserError
from tools.profile import PROFILES, Kind, Mesh, load_profile


@pytest.mark.parametrize("kind", list(Kind))
def test_local_profiles(kind: Kind) -> None:
    profile = load_profile(f"local-{kind}")
    assert (profile.name, profile.accelerator.kind, profile.mesh) == (f"local-{kind}", kind, Mesh.SIDECAR)
    assert profile.manifests.is_dir()


def test_every_value_of_a_profile_has_a_comment() -> None:
    for path in PROFILES.glob("local-*.yaml"):
        commented = True
        for line in path.read_text().splitlines():
            text = line.strip()
            if text.endswith(":") and not line.startswith(" "):
                commented = False  # a section's first key needs a comment of its own
            elif not text:
                commented = False
            elif text.startswith("#"):
                commented = True
            else:
                assert commented, f"{path.name}: {text}"


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="local-gpu, local-tpu"):
        load_profile("gke-gpu")


@pytest.mark.parametrize(
    ("section", "change", "expected"),
    [
        ("accelerator", {"kind": "npu"}, "accelerator.kind: 'npu' is not one of"),
        ("accelerator", {"count": 0}, "accelerator.count"),
        ("accelerator", {"nodelabels": {}}, "did you mean node_labels"),
        ("service", {"manifests": "manifests/nowhere"}, "no kustomization.yaml in"),
        ("images", {"server": "simulator"}, "images.server"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, section: str, change: dict[str, Any], expected: str) -> None:
    profile = yaml.safe_load((PROFILES / "local-gpu.yaml").read_text())
    profile[section] |= change
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(profile))
    with pytest.raises(UserError, match=expected):
        load_profile(str(path))
