"""Locks Debian packages and wheels anew: the newest that the archives have, with checksums."""

import sys
import tempfile
from pathlib import Path

from tools.paths import CHECKOUT
from tools.stack import debian
from tools.stack.apt import Apt
from tools.stack.pins import PINS
from tools.stack.procs import run_logged

_HEADER = "# Made by `python -m tools.stack lock`; do not edit.\n"


def lock_all() -> None:
    """Write debian.lock from debian.toml, and each *.lock from its *.in. Go modules are locked by `go mod tidy`."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        apt = Apt(scratch / "apt", scratch / "log")
        (PINS / "debian.lock").write_text(
            debian.format_lock(debian.resolve_lock((PINS / "debian.toml").read_text(), apt))
        )
        for wanted in sorted(PINS.glob("*.in")):
            out = scratch / "lock"
            left_out = scratch / "left-out"
            left_out.write_text(without(wanted.with_suffix(".without")))
            run_logged([
                sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--generate-hashes",
                "--no-annotate", "--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36",
                "--only-binary", ":all:", "--constraint", str(CHECKOUT / "requirements.lock"),
                "--override", str(left_out),
                str(wanted), "--output-file", str(out),
            ], scratch / "log")  # fmt: skip
            wanted.with_suffix(".lock").write_text(_HEADER + out.read_text())
            out.unlink()


def without(names: Path) -> str:
    """Overrides that keep projects out of a lock, whoever requires them: a marker that holds nowhere.

    Args:
        names: file with a project in each line, and comments; it need not exist.
    """
    lines = names.read_text().splitlines() if names.exists() else []
    return "".join(f"{line} ; sys_platform == 'left-out'\n" for line in lines if line and not line.startswith("#"))
