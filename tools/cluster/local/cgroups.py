"""Resource groups of a cluster: one tree per cluster and machine, in every hierarchy, removed by `down`.

Version 2 puts a group's processes into leaves only, so a machine's own processes live in a leaf `init` beside the
kubelet's `kubepods`, on both versions.
"""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_DELEGATED = {"cpu", "cpuset", "hugetlb", "io", "memory", "pids"}


def hierarchies() -> list[Path]:
    """Roots of all mounted hierarchies: the only one on version 2, one per controller on version 1."""
    if _version_2():
        return [ROOT]
    found = [
        path for path in ROOT.iterdir() if path.is_dir() and not path.is_symlink() and (path / "cgroup.procs").exists()
    ]
    return sorted(found)


def enter(path: str) -> None:
    """Move this process into the leaf `init` of a machine's group, making the groups.

    Args:
        path: the machine's group relative to the hierarchy's root, for example `llmisvc-a/gpu-node`.
    """
    for hierarchy in hierarchies():
        group = hierarchy
        for part in [*Path(path).parts, "init"]:
            _delegate(group)
            group = group / part
            group.mkdir(exist_ok=True)
            _inherit_cpuset(group)
        (group / "cgroup.procs").write_text(str(os.getpid()))


def processes(path: str) -> set[int]:
    """Process ids in a group and below it, in any hierarchy, as seen from the caller's PID namespace."""
    return {int(line) for group in _groups(path) for line in _members(group) if line != "0"}


def remove(path: str, seconds: float = 10) -> None:
    """Remove a group with all below it, depth first; its processes must have been killed.

    Raises:
        OSError: the kernel still holds a group after that time.
    """
    deadline = time.monotonic() + seconds
    for group in sorted(_groups(path), key=lambda found: len(found.parts), reverse=True):
        while True:
            try:
                group.rmdir()
                break
            except FileNotFoundError:
                break
            except OSError as error:
                # A killed process leaves its list at once and its group a moment later, when the kernel has buried it.
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)  # no event tells


def memory_bytes(path: str) -> int:
    """Memory charged to a group and all below it, in bytes, without page cache, which the kernel drops when it must."""
    rows: dict[str, int] = {}
    for hierarchy in hierarchies():
        stat = hierarchy / path / "memory.stat"
        if stat.exists():
            rows = {key: int(value) for key, value in (line.split() for line in stat.read_text().splitlines())}
    keys = ("anon", "shmem", "kernel") if _version_2() else ("total_rss", "total_shmem")
    return sum(rows.get(key, 0) for key in keys)


def _members(group: Path) -> list[str]:
    try:
        return (group / "cgroup.procs").read_text().split()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV):  # the runtime has removed the group meanwhile
            return []
        raise


def _version_2() -> bool:
    return (ROOT / "cgroup.controllers").exists()


def _groups(path: str) -> Iterator[Path]:
    for hierarchy in hierarchies():
        yield from (Path(directory) for directory, _, _ in os.walk(hierarchy / path))


def _delegate(group: Path) -> None:
    # Version 2: children have a controller only when their parent passes it on.
    if _version_2():
        offered = (group / "cgroup.controllers").read_text().split()
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in offered if name in _DELEGATED))


def _inherit_cpuset(group: Path) -> None:
    # Version 1: a cpuset without processors and memory nodes takes no process.
    for name in ("cpuset.cpus", "cpuset.mems"):
        own = group / name
        if not _version_2() and own.exists() and not own.read_text().strip():
            own.write_text((group.parent / name).read_text())
