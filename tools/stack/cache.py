"""What the cache directory holds, how large it is, and what of it is no longer needed."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.paths import cache_dir
from tools.progress import Steps
from tools.stack import debian, directory, plan, wheels
from tools.stack.build import build_lock, stack_path
from tools.stack.pins import PINS

# Name in the cache directory to what it is.
_SHARED = {
    "go-mod": "sources of Go modules",
    "go-build": "compiled Go packages",
    "go": "Go toolchain",
    "go-tmp": "the compiler's scratch",
    "debs": "Debian packages",
    "wheels": "wheels",
    "apt": "Debian package lists",
    "allure": "the Allure report's own program",
    "logs": "logs of builds",
}
_STORES = "image-stores"
_CURRENT, _IN_USE, _OLD = "current", "in use", "old"


@dataclass(frozen=True)
class Row:
    """One thing in the cache.

    Attributes:
        what: its kind, for a person.
        path: where it is.
        size: bytes that removing it would free; a file that another row has too is counted with the first.
        state: `current`, `in use` (programs of it run now), `old` (prune removes it), or empty.
    """

    what: str
    path: Path
    size: int
    state: str = ""


@dataclass(frozen=True)
class Inventory:
    """Rows of a cache; its text is a table."""

    title: str
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        lines = [f"{row.size / 1e9:8.2f} GB  {row.state:<8} {row.what:<24} {row.path}" for row in self.rows]
        total = f"{sum(row.size for row in self.rows) / 1e9:8.2f} GB  in all"
        return "\n".join([f"{self.title}:", *lines, total])


def status() -> Inventory:
    """What there is."""
    cache = cache_dir()
    seen: set[int] = set()
    parts, current = plan.parts(), stack_path(plan.parts())
    needed = {part.key for part in parts} | _keys_of(_kept_stacks(current))
    rows = [_row("part of a stack", path, seen, _CURRENT if path.name in needed else _OLD)
            for path in _children(cache / "parts")]  # fmt: skip
    states = {path: _state(path, current) for path in _children(cache / "stack")}
    rows = [_row("stack", path, seen, state) for path, state in states.items()] + _sum_up(rows, cache)
    rows += [_row("filled image store", path, seen, states.get(cache / "stack" / path.name, _OLD))
             for path in _children(cache / _STORES)]  # fmt: skip
    rows += [_row(what, cache / name, seen) for name, what in _SHARED.items() if (cache / name).exists()]
    return Inventory(f"cache {cache} (stacks share the files of their parts, and these are counted there)", tuple(rows))


def prune(keep_current: bool = True) -> Inventory:
    """Remove what is not needed, and return what was removed.

    Args:
        keep_current: keep this checkout's stack, what it is made of, and the compiler's caches; otherwise remove
            everything but stacks of which programs run now.
    """
    cache = cache_dir()
    with build_lock(cache, Steps()):
        current = stack_path(plan.parts()) if keep_current else None
        kept = set(_kept_stacks(current))
        doomed = [("stack", path) for path in _children(cache / "stack") if path not in kept]
        # Filled from a stack's images, and named after it; nodes have hard links of their own.
        names = {path.name for path in kept}
        doomed += [("filled image store", path) for path in _children(cache / _STORES) if path.name not in names]
        needed = _keys_of(kept) | ({part.key for part in plan.parts()} if keep_current else set())
        doomed += [("part of a stack", path) for path in _children(cache / "parts") if path.name not in needed]
        if keep_current:
            doomed += [("download", path) for path in _unpinned_downloads(cache)]
        else:
            doomed += [(what, cache / name) for name, what in _SHARED.items() if (cache / name).exists()]
        seen: set[int] = {inode for path in kept for inode, _ in _files(path)}
        rows = tuple(_row(what, path, seen) for what, path in doomed)
        for row in rows:
            _remove(row.path)
        return Inventory("removed", rows)


def _kept_stacks(current: Path | None) -> list[Path]:
    used = running_from(_children(cache_dir() / "stack"))
    return [path for path in _children(cache_dir() / "stack") if path == current or path in used]


def running_from(folders: Iterable[Path]) -> set[Path]:
    """Those of some directories of which a program runs now."""
    programs = set()
    for link in Path("/proc").glob("[0-9]*/exe"):
        try:
            programs.add(str(link.readlink()))
        except OSError:  # it ended, or is another user's
            continue
    return {folder for folder in folders if any(program.startswith(f"{folder}/") for program in programs)}


def _state(path: Path, current: Path) -> str:
    if path == current:
        return _CURRENT
    return _IN_USE if running_from([path]) else _OLD


def _keys_of(stacks: Iterable[Path]) -> set[str]:
    records = [path / directory.RECORD for path in stacks if (path / directory.RECORD).exists()]
    return {part["key"] for record in records for part in json.loads(record.read_text())["parts"].values()}


def _unpinned_downloads(cache: Path) -> list[Path]:
    """Packages and wheels that no lock file names any longer."""
    locked = debian.parse_lock((PINS / "debian.lock").read_text())
    packages = {debian.pooled(cache / "debs", entry.package) for entry in locked}
    pins = [
        pin for lock in PINS.glob("*.lock") if lock.name != "debian.lock" for pin in wheels.parse_lock(lock.read_text())
    ]
    names = {path for pin in pins if (path := wheels.find(cache / "wheels", pin))}
    return [path for path in _children(cache / "debs") + _children(cache / "wheels") if path not in packages | names]


def _sum_up(rows: Iterable[Row], cache: Path) -> list[Row]:
    """One row for all parts of a state: there are too many to look at."""
    by_state: dict[str, list[Row]] = {}
    for row in rows:
        by_state.setdefault(row.state, []).append(row)
    return [Row(f"parts of stacks ({len(found)})", cache / "parts", sum(row.size for row in found), state)
            for state, found in sorted(by_state.items())]  # fmt: skip


def _row(what: str, path: Path, seen: set[int], state: str = "") -> Row:
    size = 0
    for inode, length in _files(path):
        size += 0 if inode in seen else length
        seen.add(inode)
    return Row(what, path, size, state)


def _files(path: Path) -> Iterator[tuple[int, int]]:
    """Inode and disk use of every file below a path."""
    pending = [str(path)]
    while pending:
        entry = pending.pop()
        if not Path(entry).is_dir():
            stat = Path(entry).lstat()
            yield stat.st_ino, stat.st_blocks * 512
            continue
        with os.scandir(entry) as found:
            for child in found:
                if child.is_dir(follow_symlinks=False):
                    pending.append(child.path)
                else:
                    stat = child.stat(follow_symlinks=False)
                    yield stat.st_ino, stat.st_blocks * 512


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
