"""Where things are: the checkout, and the cache and state directories outside it (XDG base directories)."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
APP = "llmisvc-conformance"


def cache_dir() -> Path:
    """Directory for what can be built again: modules, binaries, packages, images. Shared by clones."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / APP


def state_dir() -> Path:
    """Directory for running clusters: their specification, process ids, logs and credentials."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / APP
