"""The cache: what is counted, what prune removes and what it keeps."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.stack import cache, directory, plan
from tools.stack.build import stack_path


@pytest.fixture
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory of our own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "llmisvc-conformance"


def a_stack(root: Path, part: Path) -> Path:
    """A stack's directory that shares its one program with a part."""
    (part / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("sleep") or "/bin/sleep", part / "bin/program")
    (root / "bin").mkdir(parents=True)
    os.link(part / "bin/program", root / "bin/program")
    (root / directory.RECORD).write_text(json.dumps({"parts": {"p": {"key": part.name}}}))
    return root


@pytest.fixture
def stacks(cache_home: Path) -> Iterator[dict[str, Path]]:
    """A current stack, an old one, and an old one of which a program runs."""
    found = {
        "current": a_stack(stack_path(plan.parts()), cache_home / "parts" / plan.parts()[0].key),
        "old": a_stack(cache_home / "stack/old", cache_home / "parts/p-old"),
        "running": a_stack(cache_home / "stack/running", cache_home / "parts/p-running"),
    }
    process = subprocess.Popen([found["running"] / "bin/program", "60"])
    yield found
    process.kill()
    process.wait()


def test_prune_keeps_what_is_current_or_runs_and_the_compilers_caches(
    cache_home: Path, stacks: dict[str, Path]
) -> None:
    for name in ("go-build", f"image-stores/{stacks['current'].name}", "image-stores/old"):
        (cache_home / name).mkdir(parents=True)
    removed = cache.prune()
    assert {row.path.relative_to(cache_home).as_posix() for row in removed.rows} == {
        "stack/old",
        "parts/p-old",
        "image-stores/old",
    }
    assert {path.name for path in (cache_home / "stack").iterdir()} == {stacks["current"].name, "running"}
    assert (cache_home / "parts/p-running").exists()
    assert (cache_home / "go-build").exists()


def test_prune_of_everything_keeps_only_what_runs(cache_home: Path, stacks: dict[str, Path]) -> None:
    (cache_home / "go-build").mkdir()
    cache.prune(keep_current=False)
    assert {path.name for path in (cache_home / "stack").iterdir()} == {"running"}
    assert not (cache_home / "go-build").exists()
    assert not stacks["current"].exists()


def test_status_counts_a_shared_file_once_and_names_states(cache_home: Path, stacks: dict[str, Path]) -> None:
    inventory = cache.status()
    states = {row.path.name: row.state for row in inventory.rows if row.what == "stack"}
    assert states == {stacks["current"].name: "current", "old": "old", "running": "in use"}
    program = (stacks["old"] / "bin/program").stat().st_blocks * 512
    parts = sum(row.size for row in inventory.rows if row.path == cache_home / "parts")
    assert 3 * program <= parts < 4 * program
    assert "in all" in str(inventory)


def test_packages_that_no_lock_file_names_are_removed(cache_home: Path) -> None:
    (cache_home / "debs").mkdir(parents=True)
    (cache_home / "debs/runc_0_0123456789abcdef.deb").write_text("")
    assert [row.path.name for row in cache.prune().rows] == ["runc_0_0123456789abcdef.deb"]


def test_an_empty_cache_is_no_error(cache_home: Path) -> None:
    assert cache.status().rows == ()
    assert cache.prune().rows == ()
    assert cache_home.exists()
