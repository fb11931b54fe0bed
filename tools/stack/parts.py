"""Parts: results of build steps, kept under a hash of everything that decides them, complete or absent."""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

_RECORD = "part.json"
_FORMAT = 1


@dataclass(frozen=True)
class Part:
    """A build step and its result.

    Attributes:
        name: short name, unique in a stack.
        inputs: name to text of everything of our own that decides the content: pins, flags, sources.
        make: writes the content into an empty directory that it is given, through a workshop that has the parts
            it needs; returns notes for stack.json. It may be interrupted anywhere.
        needs: parts whose content it uses.
        expected_seconds: measured time on 2 cores, everything to be downloaded.
    """

    name: str
    inputs: Mapping[str, str]
    make: Callable[[Any, Path], Mapping[str, object]] = field(compare=False)
    needs: tuple["Part", ...] = ()
    expected_seconds: float = 1.0

    @cached_property
    def key(self) -> str:
        """Directory name of the result: the part's name and a hash of its inputs and needs."""
        content = {"format": _FORMAT, "inputs": dict(self.inputs), "needs": [need.key for need in self.needs]}
        return f"{self.name}-{digest(json.dumps(content, sort_keys=True))[:16]}"


@dataclass(frozen=True)
class Record:
    """What a part store knows about a finished part.

    Attributes:
        files: path below the part to SHA-256 and size of every regular file.
        notes: what the step had to say.
        seconds: how long it took.
    """

    files: Mapping[str, tuple[str, int]]
    notes: Mapping[str, object]
    seconds: float


class PartStore:
    """Directory of finished parts.

    Args:
        root: the directory; made if missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, part: Part) -> Path:
        """Where a part is, or would be."""
        return self.root / part.key

    def has(self, part: Part) -> bool:
        """Whether a part is finished. A directory without record, or under a temporary name, never is."""
        return (self.path(part) / _RECORD).is_file()

    def record(self, part: Part) -> Record:
        """The record of a finished part."""
        read = json.loads((self.path(part) / _RECORD).read_text())
        files = {name: (str(entry[0]), int(entry[1])) for name, entry in read["files"].items()}
        return Record(files, read["notes"], float(read["seconds"]))

    def files(self, part: Part) -> Iterable[Path]:
        """Every file and link of a finished part, relative to it, without the record; sorted."""
        root = self.path(part)
        found = (path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
        return sorted(path.relative_to(root) for path in found if path != root / _RECORD)

    def damaged(self, part: Part, *, full: bool) -> bool:
        """Whether a finished part's files are no longer those that were built: by size, or by checksum if `full`."""
        root = self.path(part)
        return any(
            not (path := root / name).is_file() or path.stat().st_size != size or (full and file_digest(path) != wanted)
            for name, (wanted, size) in self.record(part).files.items()
        )

    def drop(self, part: Part) -> None:
        """Forget a finished part."""
        shutil.rmtree(self.path(part))

    def take(self, part: Part, make: Callable[[Path], Mapping[str, object]], clock: Callable[[], float]) -> None:
        """Run a step and keep its result; whatever ends it early leaves nothing behind."""
        self.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self.root, prefix=f".{part.name}-"))
        started = clock()
        try:
            notes = make(folder)
            record = {"files": _sums(folder), "notes": dict(notes), "seconds": round(clock() - started, 1)}
            (folder / _RECORD).write_text(json.dumps(record, sort_keys=True, indent=1))
            folder.chmod(0o755)
            folder.replace(self.path(part))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def sweep(self) -> None:
        """Remove what killed builds left; only for the holder of the build's lock."""
        for folder in self.root.glob(".*-*"):
            shutil.rmtree(folder, ignore_errors=True)


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_digest(root: Path, pattern: str = "**/*") -> str:
    """SHA-256 over names and contents of a tree's files, without Python's caches; stable across checkouts."""
    lines = [
        f"{path.relative_to(root)} {file_digest(path)}"
        for path in sorted(root.glob(pattern))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return digest("\n".join(lines))


def _sums(folder: Path) -> dict[str, tuple[str, int]]:
    sums = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            sums[str(path.relative_to(folder))] = (file_digest(path), path.stat().st_size)
            with contextlib.suppress(OSError):
                path.chmod(path.stat().st_mode & ~0o222)  # shared by hard links: nobody may write into it
    return sums
