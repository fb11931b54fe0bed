"""A runtime's image store, filled once per stack and given to every node by hard links.

Loading images takes a node some ten seconds; linking an already filled store takes a fraction of one, and both nodes
then share the page cache of the same files. It is safe because the runtime never changes a layer or blob in place:
containers write to layers of their own. The databases are changed in place, so each node has its own copy of these.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.paths import cache_dir
from tools.stack import Stack

_DATABASES = "*.db"


def directory() -> Path:
    """Where filled stores are kept, one per stack."""
    return cache_dir() / "image-stores"


def locate(stack: Stack) -> Path | None:
    """The filled store of a stack, or None."""
    path = directory() / stack.root.name
    return path if path.exists() else None


def save(stack: Stack, filled: Path) -> Path:
    """Keep a filled store; its runtime must have ended.

    Args:
        stack: whose images are in it.
        filled: a runtime's root directory.
    """
    target = directory() / stack.root.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="filling-") as scratch:
        store = Path(scratch) / "store"
        store.mkdir()
        lay(filled, store)
        try:
            store.rename(target)
        except OSError:  # another cluster of this user was quicker
            if not target.exists():
                raise
    return target


def lay(store: Path, target: Path) -> None:
    """Make a node's own store from a filled one; `target` exists and is empty."""
    same_disk = store.stat().st_dev == target.stat().st_dev
    subprocess.run(["cp", "-al" if same_disk else "-a", f"{store}/.", str(target)], check=True)
    for database in store.rglob(_DATABASES):
        own = target / database.relative_to(store)
        own.unlink()
        shutil.copy2(database, own)
