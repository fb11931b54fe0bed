"""Debian's package tools with a state and a cache of our own, so that nothing of the machine changes.

The machine's own configuration is kept for what it knows and we do not: where its archive is, through which
proxy, and which keys sign it.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.errors import UserError

# Hooks that run on the machine's behalf (clearing its cache, telling its desktop); they have no business here.
_HOOKS = ("APT::Update::", "DPkg::", "RPM::")


@dataclass(frozen=True)
class Package:
    """One binary package as the archive describes it."""

    name: str
    version: str
    sha256: str


@dataclass
class Apt:
    """The package tools confined to one directory.

    Args:
        root: directory for package lists and downloads; made if missing.
        log: file that gets the commands' output.
    """

    root: Path
    log: Path
    _config: Path = field(init=False)

    def __post_init__(self) -> None:
        self._config = self.root / "apt.conf"

    def update(self) -> None:
        """Fetch the archive's signed lists of packages; raise UserError if that fails."""
        self._configure()
        done = self._run("apt-get", "update", "-q")
        if done.returncode != 0:
            raise UserError(
                "Debian's package archive as this machine has it configured",
                f"`apt-get update` (with a private state) ended with status {done.returncode}; log: {self.log}",
                cause="no network, or a proxy that apt does not know of",
                next_step="make `apt-get update` work on this machine, then `make stack` again",
            )

    def available(self, names: Iterable[str]) -> dict[str, list[Package]]:
        """Versions that the archive has of each name, newest first; a name that it lacks is absent."""
        done = self._run("apt-cache", "show", *sorted(names), quiet=True)
        return parse_show(done.stdout)

    def resolve(self, names: Iterable[str]) -> dict[str, str]:
        """Name to version of everything that installing `names` on an empty system would install."""
        done = self._run("apt-get", "-s", "install", *names, quiet=True)
        found = [line.split() for line in done.stdout.splitlines() if line.startswith("Inst ")]
        return {fields[1]: fields[2].lstrip("(") for fields in found}

    def download(self, packages: Iterable[Package], into: Path) -> None:
        """Fetch packages at exactly their versions into a directory; raise UserError if that fails."""
        wanted = [f"{package.name}={package.version}" for package in packages]
        done = self._run("apt-get", "download", "-q", *wanted, cwd=into)
        if done.returncode != 0:
            raise UserError(
                f"{len(wanted)} packages from Debian's archive",
                f"`apt-get download` ended with status {done.returncode}; log: {self.log}",
                cause="the network broke off",
                next_step="`make stack` again: what was fetched is kept",
            )

    def _configure(self) -> None:
        for folder in ("state/lists/partial", "cache/archives/partial", "none.d"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "status").write_text("")
        try:
            dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        except FileNotFoundError as error:
            raise UserError(
                "a Debian 12 machine, with apt-get and dpkg-deb",
                "there is no apt-config in PATH",
                next_step="use a Debian 12 machine or container on x86_64",
            ) from error
        own = {
            "Dir::State": f"{self.root}/state",
            "Dir::State::status": f"{self.root}/status",
            "Dir::Cache": f"{self.root}/cache",
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "0",
            "Acquire::Languages": "none",
            # The machine's files are in the dump already; read again, they would bring the hooks back.
            "Dir::Etc::main": f"{self.root}/none",
            "Dir::Etc::parts": f"{self.root}/none.d",
        }
        self._config.write_text(private_config(dump, own))

    def _run(self, *command: str, cwd: Path | None = None, quiet: bool = False) -> "subprocess.CompletedProcess[str]":
        if not self._config.exists():
            self._configure()
        # APT_CONFIG is the one file that is read before the machine's own, so it can turn those off (apt.conf(5)).
        env = {**os.environ, "LC_ALL": "C.UTF-8", "APT_CONFIG": str(self._config)}
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=env)
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(command)}\n{'' if quiet else done.stdout}{done.stderr}\n")
        return done


def private_config(dump: str, own: Mapping[str, str]) -> str:
    """`apt-config dump`'s text without hooks, and with our own settings after it."""
    kept = [line for line in dump.splitlines() if line and not line.startswith(_HOOKS)]
    kept = [line for line in kept if line.split(" ", 1)[0] not in own]
    return "\n".join([*kept, *(f'{key} "{value}";' for key, value in own.items())]) + "\n"


def parse_show(text: str) -> dict[str, list[Package]]:
    """The packages that `apt-cache show` describes, by name, in its order (newest version first)."""
    found: dict[str, list[Package]] = {}
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if {"Package", "Version", "SHA256"} <= fields.keys():
            package = Package(fields["Package"], fields["Version"], fields["SHA256"])
            if package not in found.setdefault(package.name, []):
                found[package.name].append(package)
    return found
