"""Pinned Debian packages: the lock file, fetching what it names, unpacking it."""

import hashlib
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tools.errors import UserError
from tools.stack.apt import Apt, Package

_LOCK_HEADER = """\
# Debian 12 packages of the local cluster: name, version, SHA-256, and the trees that unpack it.
# Made by `python -m tools.stack lock` from debian.toml; do not edit.
"""


@dataclass(frozen=True)
class Locked:
    """One line of the lock file."""

    package: Package
    trees: frozenset[str]


@dataclass(frozen=True)
class Fetched:
    """A package on disk.

    Attributes:
        path: the .deb file.
        package: what it is; other than the locked one if `unpinned`.
        unpinned: the archive no longer has the locked version, and gave this one, signed, in its place.
    """

    path: Path
    package: Package
    unpinned: bool


class Archive(Protocol):
    """What fetching wants of an archive of packages; `Apt` is one."""

    def update(self) -> None:
        """Fetch the archive's lists."""
        ...

    def available(self, names: Iterable[str]) -> dict[str, list[Package]]:
        """Versions of each name, newest first; a name that it lacks is absent."""
        ...

    def download(self, packages: Iterable[Package], into: Path) -> None:
        """Fetch packages at exactly their versions."""
        ...


def parse_lock(text: str) -> list[Locked]:
    """Read a lock file; raise ValueError with the line's number for a line that is not one."""
    found: list[Locked] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split()
        if len(fields) != 4 or len(fields[2]) != 64:
            raise ValueError(f"line {number}: want 'name version sha256 tree,tree', have {line!r}")
        found.append(Locked(Package(fields[0], fields[1], fields[2]), frozenset(fields[3].split(","))))
    return found


def format_lock(locked: Iterable[Locked]) -> str:
    """The lock file's text, sorted by name."""
    lines = [
        f"{entry.package.name} {entry.package.version} {entry.package.sha256} {','.join(sorted(entry.trees))}"
        for entry in sorted(locked, key=lambda entry: entry.package.name)
    ]
    return _LOCK_HEADER + "\n".join(lines) + "\n"


def resolve_lock(wanted: str, apt: Apt) -> list[Locked]:
    """Versions and checksums, as the archive has them now, of what `debian.toml`'s text asks for."""
    apt.update()
    trees: dict[str, set[str]] = {}
    versions: dict[str, str] = {}
    for tree, spec in tomllib.loads(wanted)["trees"].items():
        names = apt.resolve(spec.get("install") or spec["exact"])
        versions |= names
        chosen = names.keys() - set(spec.get("present", ())) if "install" in spec else set(spec["exact"])
        for name in chosen:
            trees.setdefault(name, set()).add(tree)
    available = apt.available(trees)
    return [
        Locked(next(p for p in available[name] if p.version == versions[name]), frozenset(wanted_by))
        for name, wanted_by in trees.items()
    ]


def fetch(packages: Sequence[Package], pool: Path, apt: Archive) -> list[Fetched]:
    """Have packages on disk, from the pool or else from the archive.

    Args:
        packages: what the lock file names.
        pool: directory that keeps .deb files by checksum.
        apt: used only for what the pool lacks.

    Raises:
        UserError: naming every package that the archive does not have at all.
    """
    pool.mkdir(parents=True, exist_ok=True)
    have = {package: pooled(pool, package) for package in packages}
    missing = [package for package, path in have.items() if not path.exists()]
    chosen = {package: package for package in packages}
    if missing:
        apt.update()
        chosen |= {package: _closest(package, found) for package, found in _offers(missing, apt)}
        _download([chosen[package] for package in missing], pool, apt)
    return [Fetched(pooled(pool, chosen[p]), chosen[p], unpinned=chosen[p] != p) for p in packages]


def unpack(packages: Iterable[Fetched], into: Path) -> None:
    """Unpack packages over each other, below directories merged as on Debian 12 (/bin is /usr/bin)."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (into / "usr" / name).mkdir(parents=True, exist_ok=True)
        (into / name).symlink_to(f"usr/{name}")
    for fetched in packages:
        # A tar stream into an existing tree, keeping /bin -> usr/bin, which `dpkg-deb -x` would replace.
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(fetched.path)], stdout=subprocess.PIPE) as archive:
            command = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", str(into)]
            unpacked = subprocess.run(command, stdin=archive.stdout, check=False, capture_output=True, text=True)
        if archive.returncode != 0 or unpacked.returncode != 0:
            raise RuntimeError(f"unpacking {fetched.path} failed: {unpacked.stderr}")


def _offers(missing: Sequence[Package], apt: Archive) -> list[tuple[Package, list[Package]]]:
    available = apt.available(package.name for package in missing)
    unknown = sorted(package.name for package in missing if package.name not in available)
    if unknown:
        raise UserError(
            "Debian 12 packages from the archive that this machine has configured",
            f"it has no package {', '.join(unknown)}",
            cause="this machine is not Debian 12 on amd64 (see /etc/debian_version)",
            next_step="use a Debian 12 machine or container",
        )
    return [(package, available[package.name]) for package in missing]


def _closest(locked: Package, offered: Sequence[Package]) -> Package:
    return locked if locked in offered else offered[0]


def _download(packages: Sequence[Package], pool: Path, apt: Archive) -> None:
    with tempfile.TemporaryDirectory(dir=pool, prefix=".fetch-") as name:
        folder = Path(name)
        apt.download([package for package in packages if not pooled(pool, package).exists()], folder)
        by_sum = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.glob("*.deb")}
        for package in packages:
            target = pooled(pool, package)
            if target.exists():
                continue
            if package.sha256 not in by_sum:
                raise UserError(
                    f"package {package.name} {package.version} with SHA-256 {package.sha256}",
                    "the archive gave a file with another checksum",
                    cause="a broken mirror or proxy",
                    next_step="`make stack` again, or with another mirror",
                )
            by_sum[package.sha256].replace(target)


def pooled(pool: Path, package: Package) -> Path:
    """Where a pool keeps a package: under its version and checksum."""
    version = package.version.replace(":", "%3a").replace("/", "_")
    return pool / f"{package.name}_{version}_{package.sha256[:16]}.deb"
