"""A local cluster that is none: in place of its provider, for sessions in a checkout that asks for it."""

from pathlib import Path

import tools.cluster.local.provider
import tools.stack
import tools.suite
from tests.frame.cluster import IDENTITY
from tests.frame.fakes import STATE, note
from tests.kube_server import CONTEXT
from tools.cluster.provider import ClusterAccess, Death

DEAD = STATE / "dead"
_LOG = STATE / "logs" / "etcd.log"


class StubProvider:
    """Takes whatever cluster the kubeconfig beside the checkout leads to; notes what is asked of it."""

    def __init__(self, name: str = "stub") -> None:
        self.name = name
        self.started = False
        self.logs = _LOG.parent

    def up(self) -> ClusterAccess:
        note("cluster up")
        self.started = True
        return ClusterAccess(self.name, "local", Path("kubeconfig").absolute(), CONTEXT, IDENTITY)

    def down(self) -> bool:
        note("cluster down")
        return True

    def deaths(self) -> list[Death]:
        return [Death("control", "etcd", -9, _LOG)] if DEAD.exists() else []


class _Stack:
    """A stack with a kubectl, for kustomize."""

    def __init__(self) -> None:
        self.versions = {"kubernetes": "1.36.3"}

    def bin(self, name: str) -> Path:
        return Path("bin", name).absolute()


def _suite() -> dict[str, str]:
    """A commit that a test chooses; this checkout's own changes while one works in it."""
    path = STATE / "suite"
    commit, _, dirty = (path.read_text() if path.exists() else "c0ffee").partition(" ")
    return {"version": "0.1.0", "commit": commit, "dirty": dirty or "false"}


def kill() -> None:
    """Let a component die, in the middle of a case."""
    _LOG.parent.mkdir(parents=True, exist_ok=True)
    _LOG.write_text("out of space\n")
    DEAD.touch()


def install() -> None:
    """Put it in, before anything of the suite is imported."""
    vars(tools.cluster.local.provider)["LocalProvider"] = StubProvider
    vars(tools.stack)["locate_stack"] = _Stack
    vars(tools.suite)["suite"] = _suite
