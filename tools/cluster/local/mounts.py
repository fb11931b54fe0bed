"""The private file system view of a machine, made from inside its mount namespace."""

import subprocess
from pathlib import Path

# The kubelet sets these at its start (pkg/kubelet/cm, setupKernelTunables) and they are not namespaced: it must find
# them as it wants them in files of its own, so that the host keeps its values.
KUBELET_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
# Namespaced per network namespace, so these do not touch the host.
_NETWORK_SYSCTLS = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
}
_OWN_DIRECTORIES = ["kubelet", "containerd", "cni", "etcd"]


def prepare(directory: Path) -> None:
    """Make every path private that Kubernetes hard-codes; must run in a new mount namespace.

    Args:
        directory: the machine's own directory on disk.
    """
    _mount("--make-rprivate", "/")
    _mount("-t", "proc", "proc", "/proc")
    for sysctl, value in _NETWORK_SYSCTLS.items():
        Path("/proc/sys/net", sysctl).write_text(value)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    _fresh_sys()
    _overlay(Path("/etc"))
    _overlay(Path("/var/lib"))
    for name in _OWN_DIRECTORIES:
        own, seen = directory / name, Path("/var/lib", name)
        own.mkdir(exist_ok=True)
        seen.mkdir(exist_ok=True)
        _mount("--bind", str(own), str(seen))
        # The kubelet's and containerd's mounts must reach the containers' namespaces.
        _mount("--make-rshared", str(seen))
    logs = directory / "var-log"
    logs.mkdir(exist_ok=True)
    _mount("--bind", str(logs), "/var/log")
    _sysctl_files(directory)
    # A node resolves nothing by the host's servers: no name leaves the machine.
    resolver = Path("/etc/resolv.conf")
    resolver.unlink(missing_ok=True)
    resolver.write_text("")
    _mount("--make-rshared", "/run")


def _fresh_sys() -> None:
    # A new network namespace needs its own /sys; the kubelet needs the cgroup hierarchies below it.
    kept = Path("/run/cgroup-mounts")
    kept.mkdir()
    _mount("--rbind", "/sys/fs/cgroup", str(kept))
    _mount("-t", "sysfs", "sysfs", "/sys")
    _mount("--rbind", str(kept), "/sys/fs/cgroup")
    subprocess.run(["umount", "-l", str(kept)], check=True)


def _overlay(path: Path) -> None:
    # Mount points can be made and files changed in an overlay without the host seeing it.
    base = Path("/run/overlays") / path.name
    upper, work = base / "upper", base / "work"
    upper.mkdir(parents=True)
    work.mkdir()
    _mount("-t", "overlay", "-o", f"lowerdir={path},upperdir={upper},workdir={work}", "overlay", str(path))


def _sysctl_files(directory: Path) -> None:
    files = directory / "sysctl"
    files.mkdir(exist_ok=True)
    for sysctl, value in KUBELET_SYSCTLS.items():
        stand_in = files / sysctl.replace("/", ".")
        stand_in.write_text(value + "\n")
        _mount("--bind", str(stand_in), f"/proc/sys/{sysctl}")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
