"""Fixtures of several tests of the built stack."""

from collections.abc import Iterator

import pytest

from tests.stack.policy_bench import Bench, pods, spaces
from tools.cluster.local import preflight
from tools.stack import locate_stack


@pytest.fixture(scope="session")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Nodes and pods on bare network namespaces."""
    preflight.require_root()
    made = Bench(locate_stack(), tmp_path_factory.mktemp("bench"))
    yield made
    made.close()


@pytest.fixture
def bench(wired: Bench) -> Iterator[Bench]:
    """The same for one test: whatever it shows the agents, the next begins without policies."""
    wired.show([], pods(), spaces())
    yield wired
    wired.show([], pods(), spaces())
