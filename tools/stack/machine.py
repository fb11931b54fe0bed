"""Whether this machine can build the stack, told before anything is begun."""

import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError

_TOOLS = ("apt-get", "apt-cache", "apt-config", "dpkg-deb", "tar")


@dataclass(frozen=True)
class Machine:
    """What a build wants to know of a machine.

    Attributes:
        architecture: as `uname -m` says.
        system: kernel's name, for example `Linux`.
        missing_tools: programs of Debian's that are not in the path.
        free_disk_gb: on the file system of the cache.
        free_memory_gb: available without swapping.
        cache: the cache directory.
    """

    architecture: str
    system: str
    missing_tools: tuple[str, ...]
    free_disk_gb: float
    free_memory_gb: float
    cache: Path


def look(cache: Path) -> Machine:
    """This machine; the cache directory is made."""
    cache.mkdir(parents=True, exist_ok=True)
    missing = tuple(tool for tool in _TOOLS if shutil.which(tool) is None)
    free = shutil.disk_usage(cache).free / 1e9
    return Machine(platform.machine(), platform.system(), missing, free, _available_memory_gb(), cache)


def check(machine: Machine, disk_gb: float, memory_gb: float) -> None:
    """Raise UserError for the first thing that a machine lacks.

    Args:
        machine: what there is.
        disk_gb: what the parts still to be built need.
        memory_gb: the same.
    """
    elsewhere = "use a Debian 12 machine or container on x86_64"
    if (machine.system, machine.architecture) != ("Linux", "x86_64"):
        raise UserError("Linux on x86_64", f"{machine.system} on {machine.architecture}", next_step=elsewhere)
    if machine.missing_tools:
        raise UserError(
            "Debian 12 with its package tools",
            f"not in PATH: {', '.join(machine.missing_tools)}",
            cause="not a Debian system",
            next_step=elsewhere,
        )
    if machine.free_disk_gb < disk_gb:
        raise UserError(
            f"{disk_gb:.0f} GB free for what is still to be built",
            f"{machine.free_disk_gb:.1f} GB free below {machine.cache}",
            next_step="`llmisvc-conformance cache prune` drops old builds; or set XDG_CACHE_HOME to a larger disk",
        )
    if machine.free_memory_gb < memory_gb:
        raise UserError(
            f"{memory_gb:.0f} GB of memory for what is still to be built",
            f"{machine.free_memory_gb:.1f} GB available",
            next_step="end something large, then `make stack` again",
        )


def _available_memory_gb() -> float:
    """Memory that the kernel would give without swapping, or what a container's limit leaves if that is less."""
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024
    group = Path("/sys/fs/cgroup")
    if (group / "memory.max").exists() and (limit := (group / "memory.max").read_text().strip()) != "max":
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        used = int((group / "memory.current").read_text()) - int(stat["inactive_file"])  # file cache is given back
        available = min(available, int(limit) - used)
    return available / 1e9
