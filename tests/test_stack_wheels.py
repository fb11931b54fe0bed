"""Pinned wheels: what the pool lacks after pip has been asked is named."""

import hashlib
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.stack import wheels


def test_wheel_is_known_by_its_checksum(tmp_path: Path) -> None:
    file = tmp_path / "a_b-1.0-py3-none-any.whl"
    file.write_bytes(b"wheel")
    good = hashlib.sha256(b"wheel").hexdigest()
    assert wheels.find(tmp_path, wheels.WheelPin("a-b", "1.0", frozenset([good]))) == file
    assert wheels.find(tmp_path, wheels.WheelPin("a-b", "1.0", frozenset(["0" * 64]))) is None


def test_wheel_that_pip_left_out_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    # pip succeeds and downloads nothing: the marker holds nowhere.
    lock.write_text(f'left-out==1.0 ; python_version < "3" --hash=sha256:{"0" * 64}\n')
    with pytest.raises(UserError, match=r"left-out 1\.0"):
        wheels.fetch(lock, tmp_path / "pool", tmp_path / "log")
