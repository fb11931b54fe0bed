"""Allure's own command line, from npm, pinned by stack/allure/package-lock.json and installed into the cache once."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.errors import UserError
from tools.paths import CHECKOUT, cache_dir

PINNED = CHECKOUT / "stack" / "allure"
_FILES = ("package.json", "package-lock.json")
_ENTRY = Path("node_modules") / "allure" / "cli.js"
_NODE = 20
_INSTEAD = "summary.html of the run needs nothing but a browser"


def command() -> list[str]:
    """What to put before Allure's arguments; installs it if it is not there.

    Raises:
        UserError: Node.js or npm is missing or too old, or the packages cannot be had.
    """
    node = _program("node")
    _new_enough(node)
    directory = cache_dir() / "allure" / _key()
    if not (directory / _ENTRY).is_file():
        _install(directory)
    return [node, str(directory / _ENTRY)]


def _install(directory: Path) -> None:
    npm = _program("npm")
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place and then renamed: an interrupted installation is never taken for one.
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="install-") as scratch:
        for name in _FILES:
            shutil.copyfile(PINNED / name, Path(scratch) / name)
        # No package's own scripts are run.
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run([npm, *arguments], cwd=scratch, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(
                "Allure's packages from the npm registry",
                f"`npm ci` ended with {done.returncode}: {' '.join((done.stderr or done.stdout).split())[:500]}",
                cause="this machine does not reach the registry, or reaches it through a proxy that npm does not know",
                next_step=f"npm ping; {_INSTEAD}",
            )
        if not directory.exists():
            Path(scratch).rename(directory)
            # The context manager wants to remove what is not there any more.
            Path(scratch).mkdir()


def _key() -> str:
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((PINNED / name).read_bytes())
    return digest.hexdigest()[:16]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UserError(
            f"{name} (Node.js {_NODE} or newer) to render Allure's report",
            "it is not on PATH",
            next_step=f"install Node.js, https://nodejs.org; {_INSTEAD}",
        )
    return found


def _new_enough(node: str) -> None:
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < _NODE:
        raise UserError(
            f"Node.js {_NODE} or newer to render Allure's report",
            f"{node} is {version or 'of a version that it does not tell'}",
            next_step=f"install Node.js, https://nodejs.org; {_INSTEAD}",
        )
