"""`requirements.lock` keeps installing what it installed when it was made, whatever is published later."""

import re
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<extras>[^\]]*)\])?==", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, set[str]]:
    """Locked name -> the extras that its pin names."""
    return {
        normal(found["name"]): set(filter(None, (found["extras"] or "").split(",")))
        for found in PINNED.finditer(LOCK.read_text(encoding="utf-8"))
    }


def test_a_requirement_with_extras_is_pinned_with_them() -> None:
    """pip 23 does not apply `coverage==X` to `coverage[toml]`: once X+1 is published, the lock installs no more."""
    locked = pins()
    assert "coverage" in locked, "the lock was not read"
    loose = [
        f"{dist.name} needs {needed}"
        for dist in distributions()
        if normal(dist.name) in locked
        for needed in map(Requirement, dist.requires or [])
        if needed.extras and (needed.marker is None or needed.marker.evaluate({"extra": ""}))
        if not needed.extras <= locked.get(normal(needed.name), set())
    ]
    assert not loose
