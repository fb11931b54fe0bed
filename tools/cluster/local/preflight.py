"""What the machine must offer, checked before anything starts."""

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError

# Measured with two nodes and the whole stack idle: see the README's table of times and sizes.
NEEDED_MEMORY_GIB = 3.0
NEEDED_DISK_GIB = 4.0
# API server, controllers, two kubelets, two runtimes: 31 counted on a running cluster.
NEEDED_WATCHERS = 36
_PROGRAMS = {"unshare": "util-linux", "nsenter": "util-linux", "mount": "util-linux"}


@dataclass(frozen=True)
class Facts:
    """What was seen of this machine.

    Attributes:
        overlay: what mount said to an overlay file system in a namespace of its own; empty if it can be had.
        namespaces: names in /proc/self/ns.
        missing_programs: programs not found on PATH.
        memory_gib: memory available, GiB.
        disk_gib: free disk where the cluster's files go, GiB.
        directory: where the cluster's files go.
        watchers: how many inotify instances root can still have, counted no further than needed.
    """

    overlay: str
    namespaces: frozenset[str]
    missing_programs: tuple[str, ...]
    memory_gib: float
    disk_gib: float
    directory: Path
    watchers: int


def look(directory: Path) -> Facts:
    """Collect the facts; `directory` is where the cluster's files will be."""
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    existing = next(path for path in [directory, *directory.parents] if path.exists())
    return Facts(
        overlay=_try_overlay(),
        namespaces=frozenset(path.name for path in Path("/proc/self/ns").iterdir()),
        missing_programs=tuple(name for name in _PROGRAMS if shutil.which(name) is None),
        memory_gib=int(meminfo["MemAvailable"].split()[0]) / 2**20,
        disk_gib=shutil.disk_usage(existing).free / 2**30,
        directory=directory,
        watchers=_count_watchers(),
    )


def require_root() -> None:
    """Refuse everybody but root, before anything else is looked at.

    Raises:
        UserError: not root.
    """
    if os.geteuid() != 0:
        raise UserError(
            "to run as root: nodes are mount, PID and network namespaces",
            f"user id {os.geteuid()}",
            next_step="sudo the same command",
        )


def check(facts: Facts) -> None:
    """Refuse a machine that cannot run a cluster.

    Raises:
        UserError: with what is missing, in figures.
    """
    if facts.overlay:
        raise UserError(
            "overlay file systems, which nodes and containers lie on", facts.overlay, next_step="modprobe overlay"
        )
    _refuse_private(facts.directory)
    missing = {"mnt", "pid", "net", "uts", "ipc"} - facts.namespaces
    if missing:
        raise UserError("a kernel with namespaces " + ", ".join(sorted(missing)), "not in /proc/self/ns")
    for name in facts.missing_programs:
        raise UserError(f"the program {name}", "not on PATH", next_step=f"apt-get install {_PROGRAMS[name]}")
    if facts.memory_gib < NEEDED_MEMORY_GIB:
        raise UserError(
            f"{NEEDED_MEMORY_GIB:.1f} GiB of available memory", f"{facts.memory_gib:.1f} GiB (MemAvailable)"
        )
    if facts.disk_gib < NEEDED_DISK_GIB:
        raise UserError(f"{NEEDED_DISK_GIB:.1f} GiB of free disk for the cluster's files", f"{facts.disk_gib:.1f} GiB")

    if facts.watchers < NEEDED_WATCHERS:
        raise UserError(
            f"{NEEDED_WATCHERS} inotify instances, with which kubelets and runtimes watch files",
            f"{facts.watchers} are left for root",
            cause="fs.inotify.max_user_instances is for all of root's processes; other clusters here have the rest",
            next_step="llmisvc-conformance down in another checkout, or sysctl fs.inotify.max_user_instances=512",
        )


def _refuse_private(directory: Path) -> None:
    # Machines have their own of these: files of the cluster below them would not be the same inside and outside.
    for private in (Path("/etc"), Path("/run"), Path("/var/lib"), Path("/var/log")):
        if directory.resolve().is_relative_to(private):
            raise UserError(
                f"the clusters' files outside of {private}, which every machine has for itself",
                str(directory),
                next_step="XDG_STATE_HOME=/some/other/directory and the same command",
            )


def _count_watchers() -> int:
    """By having them for a moment: the kernel tells only the limit."""
    libc = ctypes.CDLL(None, use_errno=True)
    found: list[int] = []
    try:
        while len(found) < NEEDED_WATCHERS:
            descriptor = libc.inotify_init1(os.O_CLOEXEC)
            if descriptor < 0:
                break
            found.append(descriptor)
    finally:
        for each in found:
            os.close(each)
    return len(found)


def _try_overlay() -> str:
    # Where overlay is a module, the kernel loads it now as it would for any container.
    script = (
        "mount -t tmpfs t /mnt && cd /mnt && mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m"
    )
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""
