"""Pinned wheels: fetched by pip, checked against the lock file, unpacked without being installed."""

import hashlib
import re
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.stack.procs import StepFailed, run_logged

# The images' Python: wheels are chosen for it, whatever Python runs this.
_TARGET = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none")
_PLATFORMS = ("manylinux_2_36_x86_64", "manylinux_2_31_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64",
              "manylinux2014_x86_64", "manylinux_2_12_x86_64", "manylinux2010_x86_64", "manylinux_2_5_x86_64",
              "manylinux1_x86_64")  # fmt: skip


@dataclass(frozen=True)
class WheelPin:
    """A project at one version, and the SHA-256 sums that its wheels may have."""

    name: str
    version: str
    sha256: frozenset[str]


def parse_lock(text: str) -> list[WheelPin]:
    """Read a requirements file with hashes; raise ValueError for an entry without version or hash."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*$", "", text))
    pins = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, equals, version = line.split()[0].partition("==")
        sums = frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        if not equals or not sums:
            raise ValueError(f"want 'name==version --hash=sha256:…', have {line[:80]!r}")
        pins.append(WheelPin(name, version, sums))
    return pins


def fetch(lock: Path, pool: Path, log: Path) -> list[Path]:
    """Have the wheels that a lock file names, in its order.

    Args:
        lock: requirements file with hashes.
        pool: directory that keeps wheels.
        log: file that gets pip's output.

    Raises:
        UserError: the package index could not give them, or gave others than the lock file names.
    """
    pool.mkdir(parents=True, exist_ok=True)
    pins = parse_lock(lock.read_text())
    if any(find(pool, pin) is None for pin in pins):
        _download(lock, pool, log)
    return [_have(lock, pool, log, pin) for pin in pins]


def find(pool: Path, pin: WheelPin) -> Path | None:
    """The wheel of a pin in a directory, if it is there with one of the pinned checksums."""
    stem = re.sub(r"[-_.]+", "_", pin.name)
    for path in sorted(pool.glob(f"{stem}-{pin.version}-*.whl")):
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() in pin.sha256:
                return path
    return None


def _have(lock: Path, pool: Path, log: Path, pin: WheelPin) -> Path:
    if (path := find(pool, pin)) is not None:
        return path
    raise UserError(
        f"a wheel of {pin.name} {pin.version} with a checksum that {lock.name} pins",
        f"none in {pool} after pip's download; log: {log}",
        cause="pip left it out (an environment marker), or the wheel's file has another name than its project",
        next_step=f"ls {pool}",
    )


def unpack(wheels: Iterable[Path], into: Path) -> None:
    """Unpack wheels over each other, as an import path; files marked executable stay so."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                target = Path(archive.extract(member, into))
                if (member.external_attr >> 16) & 0o100 and not member.is_dir():
                    target.chmod(0o755)


def _download(lock: Path, pool: Path, log: Path) -> None:
    platforms = [option for platform in _PLATFORMS for option in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:",
               "--disable-pip-version-check", *_TARGET, *platforms, "-d", str(pool), "-r", str(lock)]  # fmt: skip
    try:
        run_logged(command, log)
    except StepFailed as failed:
        text = log.read_text()
        raise UserError(
            f"the wheels that {lock.name} pins, from the package index that pip is configured with",
            f"pip download ended with status {failed.status}; log: {log}",
            cause="this Python has no pip" if "No module named pip" in text else "no network, or an index without them",
            next_step=f"`{sys.executable} -m ensurepip`" if "No module named pip" in text else "`make stack` again",
        ) from failed
