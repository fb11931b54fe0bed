"""Turns unpacked Debian packages into the two trees that are used: node tools, and the images' base file system.

Packages are unpacked without running their maintainer scripts, which expect to change a machine. What those scripts
would have done and is needed here is done below.
"""

import shutil
from pathlib import Path

# Documentation, translations and packaging data: half of the size, of no use in a node or an image.
_USELESS = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "usr/share/bug",
    "usr/share/bash-completion", "usr/share/zsh", "usr/share/doc-base", "usr/share/menu", "usr/share/applications",
    "usr/share/pixmaps", "usr/share/base-files", "usr/share/binfmts", "usr/share/initramfs-tools", "usr/share/dpkg",
    "usr/share/common-licenses", "usr/share/gcc", "usr/share/gdb", "usr/share/debianutils", "usr/games",
    "usr/src", "usr/include",
)  # fmt: skip

# Python modules that want a library that is left out (database, terminal), tests and build-time files.
_USELESS_PYTHON = ("_dbm", "_curses", "_curses_panel", "readline", "nis", "_sqlite3")

# Debian's alternatives system makes these links when packages are configured.
_IPTABLES = tuple(f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))

# Users that the images run as: root, Istio's proxy (1337, as in its own image) and an ordinary one.
_PASSWD = """\
root:x:0:0:root:/root:/bin/bash
user:x:1000:1000:user:/home:/bin/bash
istio-proxy:x:1337:1337:istio-proxy:/var/lib/istio:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUP = "root:x:0:\nuser:x:1000:\nistio-proxy:x:1337:\nnogroup:x:65534:\n"


def finish_host(tree: Path) -> None:
    """Make a tree of node tools usable as it lies: links of the packet filter tools, nothing superfluous."""
    _drop(tree)
    _link_iptables(tree)
    (tree / "usr/sbin/ip").unlink(missing_ok=True)  # an absolute link to the machine's /bin/ip


def finish_base(tree: Path) -> None:
    """Make a tree the root of an image: users, certificates, the usual names of interpreters."""
    _drop(tree)
    _link_iptables(tree)
    for folder in ("boot", "var/log/apt", "usr/share/python3", "usr/share/perl5"):
        shutil.rmtree(tree / folder, ignore_errors=True)
    _trim_python(tree / "usr/lib/python3.11")
    shutil.rmtree(tree / "usr/lib/x86_64-linux-gnu/gconv", ignore_errors=True)  # character sets other than UTF-8
    (tree / "usr/bin/python3").symlink_to("python3.11")
    (tree / "usr/bin/awk").symlink_to("mawk")
    (tree / "etc/passwd").write_text(_PASSWD)
    (tree / "etc/group").write_text(_GROUP)
    (tree / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    certificates = sorted((tree / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = tree / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(path.read_text().strip() + "\n" for path in certificates))


def _drop(tree: Path) -> None:
    for folder in _USELESS:
        shutil.rmtree(tree / folder, ignore_errors=True)


def _link_iptables(tree: Path) -> None:
    for name in _IPTABLES:
        (tree / "usr/sbin" / name).symlink_to("xtables-nft-multi")


def _trim_python(library: Path) -> None:
    for name in _USELESS_PYTHON:
        for module in (library / "lib-dynload").glob(f"{name}.*.so"):
            module.unlink()
    for folder in ("pydoc_data", "ensurepip", "idlelib", "lib2to3", "turtledemo", "test"):
        shutil.rmtree(library / folder, ignore_errors=True)
