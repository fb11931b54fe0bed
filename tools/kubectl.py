"""The kubectl command line for one cluster, for people to paste. Pure."""

import shlex
from pathlib import Path


def kubectl(*words: str, context: str = "", kubeconfig: Path | None = None) -> str:
    """A command line; it names what the user has named, because the current context may be another cluster.

    Args:
        words: of kubectl.
        context: the context; empty where the user has not named any yet.
        kubeconfig: the file; None where kubectl looks for it.
    """
    file = ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    where = ["--context", context] if context else []
    return shlex.join(["kubectl", *file, *where, *words])
