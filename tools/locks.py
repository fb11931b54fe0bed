"""A lock that many may share and one may have alone, between processes; it ends with its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def shared(directory: Path) -> Iterator[None]:
    """Hold it together with others."""
    # Whoever wants it alone holds the gate while waiting: nobody new comes in, so it is never starved.
    with _file(directory, "gate", fcntl.LOCK_SH):
        held = _locked(directory, "run", fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(held)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold it with nobody else in it."""
    with _file(directory, "gate", fcntl.LOCK_EX), _file(directory, "run", fcntl.LOCK_EX):
        yield


def unlock(directory: Path) -> None:
    """Remove the lock's files, when nobody can want it any more."""
    for name in ("gate", "run"):
        _path(directory, name).unlink(missing_ok=True)


@contextmanager
def _file(directory: Path, name: str, how: int) -> Iterator[None]:
    held = _locked(directory, name, how)
    try:
        yield
    finally:
        os.close(held)


def _locked(directory: Path, name: str, how: int) -> int:
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_path(directory, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, how)
    return descriptor


def _path(directory: Path, name: str) -> Path:
    return directory / f".{name}.lock"
