"""What the machine must offer, checked before anything starts."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError

# Measured with two nodes and the whole stack idle: see the README's table of times and sizes.
NEEDED_MEMORY_GIB = 3.0
NEEDED_DISK_GIB = 4.0
_FILE_SYSTEMS = {"overlay": "containers' root file systems", "tmpfs": "private directories"}
_PROGRAMS = {"unshare": "util-linux", "nsenter": "util-linux", "mount": "util-linux"}


@dataclass(frozen=True)
class Facts:
    """What was seen of this machine.

    Attributes:
        uid: effective user id.
        file_systems: names in /proc/filesystems.
        namespaces: names in /proc/self/ns.
        missing_programs: programs not found on PATH.
        memory_gib: memory available, GiB.
        disk_gib: free disk where the cluster's files go, GiB.
    """

    uid: int
    file_systems: frozenset[str]
    namespaces: frozenset[str]
    missing_programs: tuple[str, ...]
    memory_gib: float
    disk_gib: float


def look(directory: Path) -> Facts:
    """Collect the facts; `directory` is where the cluster's files will be."""
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    existing = next(path for path in [directory, *directory.parents] if path.exists())
    return Facts(
        uid=os.geteuid(),
        file_systems=frozenset(line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()),
        namespaces=frozenset(path.name for path in Path("/proc/self/ns").iterdir()),
        missing_programs=tuple(name for name in _PROGRAMS if shutil.which(name) is None),
        memory_gib=int(meminfo["MemAvailable"].split()[0]) / 2**20,
        disk_gib=shutil.disk_usage(existing).free / 2**30,
    )


def check(facts: Facts) -> None:
    """Refuse a machine that cannot run a cluster.

    Raises:
        UserError: with what is missing, in figures.
    """
    if facts.uid != 0:
        raise UserError(
            "to run as root: nodes are mount, PID and network namespaces",
            f"user id {facts.uid}",
            next_step="sudo the same command",
        )
    for name, purpose in _FILE_SYSTEMS.items():
        if name not in facts.file_systems:
            raise UserError(
                f"the file system {name} in this kernel, for {purpose}",
                "not in /proc/filesystems",
                next_step=f"modprobe {name}",
            )
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
