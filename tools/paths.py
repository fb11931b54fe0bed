"""Where things are: the checkout, and the cache and state directories outside it (XDG base directories)."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
APP = "llmisvc-conformance"


def cache_dir() -> Path:
    """Directory for what can be built again: modules, binaries, packages, images. Shared by clones."""
    return _base("XDG_CACHE_HOME", ".cache") / APP


def state_dir() -> Path:
    """Directory for running clusters: their specification, process ids, logs and credentials."""
    return _base("XDG_STATE_HOME", ".local/state") / APP


def _base(variable: str, default: str) -> Path:
    # The specification says to ignore a relative path.
    chosen = Path(os.environ.get(variable, ""))
    return chosen if chosen.is_absolute() else Path.home() / default
