"""Debian packages: the lock file, what the archive gives in place of a pin, unpacking."""

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.stack import debian
from tools.stack.apt import Package, parse_show, private_config
from tools.stack.debian import Locked
from tools.stack.pins import PINS


def package(name: str, version: str) -> Package:
    """A package whose content is its name and version."""
    return Package(name, version, hashlib.sha256(f"{name} {version}".encode()).hexdigest())


class ArchiveWith:
    """An archive that has some packages, and counts what is fetched."""

    def __init__(self, *packages: Package, damaged: bool = False) -> None:
        self.packages = packages
        self.damaged = damaged
        self.fetched: list[str] = []

    def update(self) -> None:
        pass

    def available(self, names: Iterable[str]) -> dict[str, list[Package]]:
        wanted = set(names)
        return {p.name: [q for q in self.packages if q.name == p.name] for p in self.packages if p.name in wanted}

    def download(self, packages: Iterable[Package], into: Path) -> None:
        for p in packages:
            self.fetched.append(p.name)
            (into / f"{p.name}.deb").write_text("damaged" if self.damaged else f"{p.name} {p.version}")


def test_a_lock_file_survives_being_read_and_written() -> None:
    locked = [
        Locked(package("runc", "1.1+ds"), frozenset({"host"})),
        Locked(package("bash", "1:5"), frozenset({"base"})),
    ]
    text = debian.format_lock(locked)
    assert debian.format_lock(debian.parse_lock(text)) == text
    assert {entry.package.name for entry in debian.parse_lock(text)} == {"runc", "bash"}


@pytest.mark.parametrize("line", ["runc", "runc 1.1 abc host", f"runc 1.1 {'a' * 64}"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        debian.parse_lock(f"# comment\n{line}\n")


def test_the_committed_lock_has_every_package_that_is_asked_for() -> None:
    locked = debian.parse_lock((PINS / "debian.lock").read_text())
    trees = {tree: {entry.package.name for entry in locked if tree in entry.trees} for tree in ("host", "base")}
    assert {"containerd", "runc", "containernetworking-plugins", "nftables", "conntrack", "libseccomp2"} <= trees[
        "host"
    ]
    assert {"python3.11-minimal", "libc6", "ca-certificates", "iptables"} <= trees["base"]
    assert "libc6" not in trees["host"], "a second C library in LD_LIBRARY_PATH breaks the machine's programs"


def test_what_is_in_the_pool_is_not_fetched_again(tmp_path: Path) -> None:
    archive = ArchiveWith(package("runc", "1"))
    for _ in range(2):
        (fetched,) = debian.fetch([package("runc", "1")], tmp_path, archive)
    assert archive.fetched == ["runc"]
    assert not fetched.unpinned
    assert fetched.path.read_text() == "runc 1"


def test_a_version_that_the_archive_no_longer_has_is_replaced_by_its_newest_and_told(tmp_path: Path) -> None:
    archive = ArchiveWith(package("runc", "3"), package("runc", "2"), package("bash", "1"))
    runc, bash = debian.fetch([package("runc", "1"), package("bash", "1")], tmp_path, archive)
    assert (runc.package.version, runc.unpinned) == ("3", True)
    assert not bash.unpinned


def test_packages_that_the_archive_lacks_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no package bash, runc"):
        debian.fetch(
            [package("runc", "1"), package("bash", "1"), package("nft", "1")],
            tmp_path,
            ArchiveWith(package("nft", "1")),
        )


def test_a_file_with_another_checksum_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="another checksum"):
        debian.fetch([package("runc", "1")], tmp_path, ArchiveWith(package("runc", "1"), damaged=True))
    assert not list(tmp_path.iterdir())


def test_unpacking_keeps_bin_a_link_to_usr_bin(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin/tool").write_text("#!/bin/sh\n")
    (source / "DEBIAN").mkdir()
    (source / "DEBIAN/control").write_text(
        "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: a tool\n"
    )
    subprocess.run(["dpkg-deb", "--build", source, tmp_path / "tool.deb"], check=True, capture_output=True)
    fetched = debian.Fetched(tmp_path / "tool.deb", package("tool", "1"), unpinned=False)
    debian.unpack([fetched], tmp_path / "tree")
    assert (tmp_path / "tree/bin").is_symlink()
    assert (tmp_path / "tree/usr/bin/tool").read_text() == "#!/bin/sh\n"


def test_the_machines_hooks_are_left_out_of_the_private_configuration() -> None:
    dump = "\n".join(
        [
            'Acquire::http::Proxy "http://proxy.test:3128";',
            'APT::Update::Post-Invoke:: "rm -rf x";',
            'DPkg::Post-Invoke:: "y";',
            'Dir::State "var";',
        ]
    )
    config = private_config(dump, {"Dir::State": "/own"})
    assert "Post-Invoke" not in config
    assert "proxy.test" in config
    assert config.count("Dir::State") == 1
    assert 'Dir::State "/own";' in config


def test_versions_are_read_from_what_the_archive_shows() -> None:
    text = "Package: runc\nVersion: 2\nSHA256: bb\nDescription: x\n more: y\n\nPackage: runc\nVersion: 1\nSHA256: aa\n"
    assert parse_show(text) == {"runc": [Package("runc", "2", "bb"), Package("runc", "1", "aa")]}
