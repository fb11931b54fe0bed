"""What the README says is there."""

import re

from tools.paths import CHECKOUT

_TEXT = (CHECKOUT / "README.md").read_text()


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)", _TEXT))
    assert named
    assert named <= targets


def test_files_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:tools|fixtures|suites|tests|manifests)/[\w./-]+)`", _TEXT))
    assert named
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


def test_nothing_is_left_to_fill_in() -> None:
    assert re.findall(r"@[A-Z]+@", _TEXT) == []
