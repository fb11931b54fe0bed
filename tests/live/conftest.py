"""Clusters for tests of the local cluster itself: nodes, DNS and network, without Istio and KServe."""

import os
from collections.abc import Callable, Iterator

import pytest

from tools.cluster.local import bring_up, down, preflight, registry
from tools.cluster.local.topology import Topology
from tools.stack import Stack, locate_stack

Start = Callable[[str], Topology]


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The built stack; its absence is an error that names the command."""
    return locate_stack()


@pytest.fixture
def start_bare(stack: Stack) -> Iterator[Start]:
    """Start bare clusters by name, each removed at the test's end if the test has not done so."""
    preflight.require_root()
    started: list[str] = []

    def start(name: str) -> Topology:
        full = f"test-{os.getpid()}-{name}"
        started.append(full)
        return bring_up.bring_up(full, stack, print, install=_nothing)

    yield start
    for name in started:
        if (left := registry.load(name)) is not None:
            down.remove(left)


def _nothing(*_: object) -> None:
    """The charts only add objects: nodes and pods are what could touch the host or each other."""
