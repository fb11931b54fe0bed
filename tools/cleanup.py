"""Removes what runs left on a cluster, and decides when that is to be done."""

import shlex
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.errors import UserError
from tools.kube.client import Kube
from tools.kube.convergence import Alive, Selection
from tools.kube.errors import KubeError
from tools.kube.kinds import NAMESPACE
from tools.kube.leftovers import Found, Leftover, look
from tools.kube.node_labels import restore
from tools.kube.removal import remove_namespace, wait_gone
from tools.settings import Cleanup
from tools.waiting.timeouts import seconds

_AT_ONCE = 8
_SHOWN = 4


def leftovers(kube: Kube, run: str | None) -> list[Leftover]:
    """Everything that a run, or any run, has left, in the order in which it is removed.

    Args:
        kube: the cluster.
        run: its id; None for all runs.

    Raises:
        KubeError: the API server did not answer, or namespaces may not be listed.
    """
    return look(kube, run).leftovers


def remove(kube: Kube, found: Iterable[Leftover], *, alive: Alive = lambda: None) -> list[str]:
    """Remove leftovers and wait until they are gone.

    Policies of admission go first, because they may forbid the rest; then namespaces, side by side; then everything
    else; Leases last, so that nobody begins before.

    Returns:
        What is left and why, one line each; empty when everything is gone.

    Raises:
        KubeError: the API server did not answer.
    """
    steps: dict[int, list[Leftover]] = {}
    for each in found:
        steps.setdefault(each.step, []).append(each)
    left = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _, step in sorted(steps.items()):
            left += [line for lines in pool.map(partial(_remove, kube, alive), step) for line in lines]
    return left


def refused_by_living(found: Found, run: str | None) -> str:
    """Why nothing may be removed while a run goes on; empty if it may. Pure.

    Args:
        found: what a look gave.
        run: the run whose rest is to be removed; None for all of them.
    """
    for living, words in found.living.items():
        if run is None or living in (run, ""):
            return words
    return ""


def keeps(cleanup: Cleanup, *, well: bool) -> bool:
    """Whether what a run made stays at its end.

    Args:
        cleanup: what the user asked for.
        well: whether every case passed, or was left out for a stated reason.
    """
    return cleanup is Cleanup.NEVER or (cleanup is Cleanup.ON_SUCCESS and not well)


def command(run: str, context: str = "", kubeconfig: Path | None = None, identity: str = "") -> str:
    """The command that removes what a run left, on the local cluster or, with a context, on an existing one."""
    words = ["llmisvc-conformance", "cleanup", "--run", run]
    words += ["--context", context] if context else []
    words += ["--kubeconfig", str(kubeconfig)] if kubeconfig else []
    words += ["--identity", identity] if identity else []
    return shlex.join(words)


def clean(kube: Kube, run: str | None, say: Callable[[str], None], *, dry: bool = False, force: bool = False) -> int:
    """Remove what a run, or any run, has left, and tell about it: the command `llmisvc-conformance cleanup`.

    Args:
        kube: the cluster.
        run: its id; None for all runs.
        say: told what is found and what is left, line by line.
        dry: only tell.
        force: also what a living run has.

    Returns:
        0 when nothing is left (or only had to be told), 1 when something is.

    Raises:
        UserError: the run, or one of them, goes on.
        KubeError: the API server did not answer, or namespaces may not be listed.
    """
    found = look(kube, run)
    for line in _told(found, run):
        say(line)
    if dry:
        return 0
    if not found.living:
        # A living run may have changed them on purpose, and puts them back itself.
        for line in _restored(kube):
            say(line)
    if not found.leftovers:
        return 0
    if not force and (living := refused_by_living(found, run)):
        raise UserError(
            "runs that have ended, before what they made is removed",
            living,
            cause="the run goes on, or was killed within the last half minute",
            next_step="the same command when it has ended; --force takes its things from under it",
        )
    left = remove(kube, found.leftovers)
    for line in left:
        say(f"left: {line}")
    say(f"removed {len(found.leftovers)} objects" if not left else f"{len(left)} could not be removed")
    return 1 if left else 0


def _restored(kube: Kube) -> list[str]:
    try:
        return restore(kube)
    except KubeError as error:
        if error.status == 403:  # who may not see nodes has not changed them
            return []
        raise


def _told(found: Found, run: str | None) -> list[str]:
    whose = f"run {run}" if run else "any run"
    lines = [f"found: {each}" for each in found.leftovers] or [f"nothing of {whose} is left"]
    lines += [f"going on: {words}" for words in found.living.values()]
    if found.unseen:
        more = ["…"] if len(found.unseen) > _SHOWN else []
        lines.append(f"{len(found.unseen)} kinds were not looked at: {'; '.join([*found.unseen[:_SHOWN], *more])}")
    return lines


def _remove(kube: Kube, alive: Alive, each: Leftover) -> list[str]:
    try:
        if each.kind == NAMESPACE:
            return remove_namespace(kube, each.name, alive=alive)
        kube.delete(each.kind, each.name, each.namespace)
        chosen = Selection(each.kind, each.namespace, each.name)
        return wait_gone(kube, chosen, seconds("service-removed"), alive)
    except KubeError as error:
        if error.status == 0:
            raise
        return [f"{each}: {error.status}: {error.message}"]
