"""The lock of a run: shared by many processes, or had by one alone, and never kept by one that is dead."""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.locks import alone, shared, unlock
from tools.paths import CHECKOUT

_SCRIPT = """
import sys
from pathlib import Path
from tools import locks

print("?", end="", flush=True)
with getattr(locks, sys.argv[1])(Path(sys.argv[2])):
    print("!", end="", flush=True)
    sys.stdin.readline()
"""
# Long enough for a process that could go on to have gone on; a test that passes waits for it in full.
_NEVER_SECONDS = 0.3
_SOON_SECONDS = 20.0


class Holder:
    """Another process that asks for the lock, and keeps it until it is told."""

    def __init__(self, how: str, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, how, str(directory)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._says(_SOON_SECONDS) == "?"

    def has_it(self) -> bool:
        """Whether it has the lock, or soon gets it."""
        return self._says(_SOON_SECONDS) == "!"

    def waits(self) -> bool:
        """Whether it does not get it."""
        return self._says(_NEVER_SECONDS) == ""

    def end(self) -> None:
        """Let go."""
        self.process.communicate(b"\n", timeout=_SOON_SECONDS)

    def kill(self) -> None:
        """End without letting go."""
        self.process.kill()
        self.process.communicate(timeout=_SOON_SECONDS)

    def _says(self, seconds: float) -> str:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        # Unbuffered: what is buffered here would not be ready again.
        return os.read(self.process.stdout.fileno(), 1).decode() if ready else ""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[[str], Holder]]:
    """Starts other processes that ask for the lock."""
    holders: list[Holder] = []

    def start(how: str) -> Holder:
        holders.append(Holder(how, tmp_path))
        return holders[-1]

    yield start
    for each in holders:
        if each.process.poll() is None:
            each.kill()


def test_many_share_it(tmp_path: Path, hold: Callable[[str], Holder]) -> None:
    with shared(tmp_path):
        assert hold("shared").has_it()
        assert hold("shared").has_it()


def test_one_has_it_alone(tmp_path: Path, hold: Callable[[str], Holder]) -> None:
    with alone(tmp_path):
        others = [hold("shared"), hold("alone")]
        assert all(each.waits() for each in others)
    assert others[0].has_it()
    others[0].end()
    assert others[1].has_it()


def test_who_wants_it_alone_waits_for_those_that_share_it(tmp_path: Path, hold: Callable[[str], Holder]) -> None:
    with shared(tmp_path):
        other = hold("alone")
        assert other.waits()
    assert other.has_it()


def test_who_wants_it_alone_is_not_starved(tmp_path: Path, hold: Callable[[str], Holder]) -> None:
    with shared(tmp_path):
        patient = hold("alone")
        assert patient.waits()
        newcomer = hold("shared")
        assert newcomer.waits()
    assert patient.has_it()
    assert newcomer.waits()
    patient.end()
    assert newcomer.has_it()


@pytest.mark.parametrize("how", ["alone", "shared"])
def test_it_ends_with_its_holder(tmp_path: Path, hold: Callable[[str], Holder], how: str) -> None:
    killed = hold(how)
    assert killed.has_it()
    killed.kill()
    with alone(tmp_path):
        pass


def test_it_is_let_go_when_what_is_inside_fails(tmp_path: Path, hold: Callable[[str], Holder]) -> None:
    for how in (alone, shared):
        with pytest.raises(OSError, match="inside"), how(tmp_path / "new"):
            raise OSError("inside")
    with alone(tmp_path / "new"):
        pass
    assert hold("alone").has_it()


def test_it_leaves_no_files(tmp_path: Path) -> None:
    unlock(tmp_path)
    for how in (alone, shared):
        with how(tmp_path):
            pass
    assert list(tmp_path.iterdir())
    unlock(tmp_path)
    assert list(tmp_path.iterdir()) == []
