"""Fixtures of several tests of the built stack."""

from collections.abc import Iterator

import pytest

from tests.stack.policy_bench import Bench
from tools.cluster.local import preflight
from tools.stack import locate_stack


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Nodes and pods on bare network namespaces; what a test shows its agents is replaced by the next."""
    preflight.require_root()
    made = Bench(locate_stack(), tmp_path_factory.mktemp("bench"))
    yield made
    made.close()
