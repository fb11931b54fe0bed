"""Which suite this is: version, commit, and whether the checkout differs from it."""

import subprocess
from importlib.metadata import PackageNotFoundError, version

from tools.paths import CHECKOUT

_NAME = "llmisvc-conformance"


def suite() -> dict[str, str]:
    """`version`, `commit` and `dirty` (`true` or `false`); a commit that is not known is `unknown`."""
    commit = _git("rev-parse", "HEAD")
    # Files that nobody has added count as well: a case in one would be collected.
    dirty = _git("status", "--porcelain")
    try:
        told = version(_NAME)
    except PackageNotFoundError:
        told = "unknown"
    return {"version": told, "commit": commit or "unknown", "dirty": "true" if dirty or not commit else "false"}


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
