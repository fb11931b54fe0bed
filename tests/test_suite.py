"""Which suite a run is of: the commit of its checkout, and whether anything in it differs from that."""

import subprocess
from pathlib import Path

import pytest

from tools.suite import suite


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one commit, in place of this one."""
    for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message=first"]):
        identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.com"]
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr("tools.suite.CHECKOUT", tmp_path)
    return tmp_path


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True)
    found = suite()
    assert (found["commit"], found["dirty"]) == (head.stdout.strip(), "false")
    assert found["version"] != "unknown"


def test_a_file_that_nobody_has_added_makes_it_differ(repository: Path) -> None:
    (repository / "test_new.py").touch()
    assert suite()["dirty"] == "true"


def test_what_is_no_checkout_is_unknown_and_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.suite.CHECKOUT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert (suite()["commit"], suite()["dirty"]) == ("unknown", "true")
