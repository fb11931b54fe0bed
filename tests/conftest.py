"""Fixtures that several files of tests use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube_server import CONTEXT, Answer, KubeServer, Serve
from tools.kube.client import Kube


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Servers of the Kubernetes API over real HTTP, each with its client; closed at the test's end."""
    servers: list[KubeServer] = []

    def start(answer: Answer) -> tuple[KubeServer, Kube]:
        servers.append(KubeServer(answer))
        return servers[-1], Kube(servers[-1].kubeconfig(tmp_path), CONTEXT)

    yield start
    for server in servers:
        server.close()
