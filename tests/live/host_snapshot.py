"""What a person would look at to see whether a program left anything on the host."""

import os
import shutil
import subprocess
from dataclasses import dataclass, fields
from pathlib import Path

from pyroute2 import IPRoute

from tools.paths import state_dir
from tools.stack import locate_stack

# Counters and random numbers of the kernel, which move by themselves.
_RESTLESS_SYSCTLS = (
    "fs/dentry-state",
    "fs/file-nr",
    "fs/inode-nr",
    "fs/inode-state",
    "fs/quota/",
    "kernel/ns_last_pid",
    "kernel/pty/nr",
    "kernel/random/",
    "net/netfilter/nf_conntrack_count",
)
_TREES = (Path("/etc"), Path("/var"), Path("/run"))
# Files that other programs of the host write all the time: that they are there is compared, not what is in them.
_RESTLESS_FILES = ("/var/log/", "/var/cache/", "/run/utmp")


@dataclass(frozen=True)
class HostSnapshot:
    """Sets of lines, one set for each thing that a cluster could leave behind."""

    processes: frozenset[str]
    mounts: frozenset[str]
    links: frozenset[str]
    routing: frozenset[str]
    packet_filter: frozenset[str]
    namespaces: frozenset[str]
    sysctls: frozenset[str]
    modules: frozenset[str]
    cgroups: frozenset[str]
    files: frozenset[str]

    def changes_since(self, before: "HostSnapshot") -> list[str]:
        """Human-readable differences, empty when the host is as it was."""
        rows: list[str] = []
        for each in fields(self):
            now, then = getattr(self, each.name), getattr(before, each.name)
            rows += [f"{each.name}: new: {line}" for line in sorted(now - then)]
            rows += [f"{each.name}: gone: {line}" for line in sorted(then - now)]
        return rows


def take() -> HostSnapshot:
    """Look at the host."""
    return HostSnapshot(
        processes=frozenset(_processes()),
        mounts=frozenset(Path("/proc/self/mounts").read_text().splitlines()),
        links=frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        routing=frozenset(_routing()),
        packet_filter=frozenset(_packet_filter()),
        namespaces=frozenset(_namespaces()),
        sysctls=frozenset(_sysctls()),
        modules=frozenset(path.name for path in Path("/sys/module").iterdir()),
        cgroups=frozenset(str(path) for path in Path("/sys/fs/cgroup").rglob("*") if path.is_dir()),
        files=frozenset(_files()),
    )


def _processes() -> set[str]:
    # A person may start programs meanwhile: only those are of interest that are in namespaces of their own, or that
    # say that they belong to us.
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            elsewhere = any(
                (path / "ns" / kind).readlink() != Path("/proc/self/ns", kind).readlink() for kind in ("net", "pid")
            )
        except OSError:
            continue  # ended while we looked
        if elsewhere or "tools.cluster" in arguments:
            found.add(f"{path.name} {arguments}")
    return found


def _namespaces() -> set[str]:
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/*"):
        try:
            found.add(link.readlink().name)
        except OSError:
            continue
    return found


def _sysctls() -> set[str]:
    found = set()
    for directory, _, names in os.walk("/proc/sys"):
        for name in names:
            path = Path(directory, name)
            key = str(path.relative_to("/proc/sys"))
            if key.startswith(_RESTLESS_SYSCTLS):
                continue
            try:
                found.add(f"{key} = {path.read_text().strip()}")
            except (OSError, UnicodeDecodeError):
                continue  # write-only
    return found


def _files() -> set[str]:
    clusters = state_dir() / "clusters"
    found = {str(path) for path in clusters.iterdir()} if clusters.exists() else set()
    for tree in _TREES:
        for directory, _, names in os.walk(tree):
            found.add(directory)
            for path in (Path(directory, name) for name in names):
                try:
                    stat = path.lstat()
                except FileNotFoundError:
                    continue  # somebody else's, removed while we looked
                restless = str(path).startswith(_RESTLESS_FILES)
                found.add(f"{path}" if restless else f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return found


def _routing() -> set[str]:
    with IPRoute() as ip:
        addresses = [(each["index"], each.get_attr("IFA_ADDRESS"), each["prefixlen"]) for each in ip.get_addr()]
        routes = [(each["table"], each.get_attr("RTA_DST"), each["dst_len"], each.get_attr("RTA_GATEWAY"))
                  for each in ip.get_routes()]  # fmt: skip
        rules = [(each["family"], each["table"], each.get_attr("FRA_PRIORITY")) for each in ip.get_rules()]
    return {str(row) for row in [*addresses, *routes, *rules]}


def _packet_filter() -> set[str]:
    environment = locate_stack().host_env()
    program = shutil.which("nft", path=environment["PATH"]) or "nft"
    done = subprocess.run([program, "list", "ruleset"], check=True, capture_output=True, text=True, env=environment)
    return set(done.stdout.splitlines())
