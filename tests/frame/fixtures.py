"""The fixtures of tests of the frame; a module of tests names this one, and pytester, as its plugins."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.frame.checkout import Checkout
from tests.frame.cluster import FakeCluster
from tests.http_server import Answer, serving
from tools.paths import CHECKOUT

# In place of kubectl: kustomize without anything to customize.
_KUBECTL = """#!/bin/sh
case "$*" in *tpu*) name=vllm-qwen;; *) name=vllm-gemma;; esac
cat <<END
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: $name, namespace: a}
spec: {router: {route: {}, scheduler: {}}}
END
"""


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where sessions find modules compiled by those before them, where the environment keeps Python from doing so."""
    own = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist have theirs beside each other, in the directory of the whole run.
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "compiled"


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, compiled: Path) -> Checkout:
    """A checkout without suites, on a machine with nothing but this suite and a kubectl."""
    for name in [each for each in os.environ if each.startswith(("PYTEST_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
        monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(compiled))
    kubectl = pytester.path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(_KUBECTL)
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", str(kubectl.parent), prepend=os.pathsep)
    return Checkout(pytester)


@pytest.fixture
def make_cluster() -> Iterator[Callable[..., FakeCluster]]:
    """Makes clusters whose services answer; see FakeCluster for the arguments."""
    made: list[FakeCluster] = []
    with serving(lambda _: Answer(200, '{"choices": [{"text": "so"}]}', {"Content-Type": "application/json"})) as (
        url,
        _,
    ):

        def make(**arguments: Any) -> FakeCluster:
            made.append(FakeCluster(url, **arguments))
            return made[-1]

        yield make
        for each in made:
            each.close()


@pytest.fixture
def fake_cluster(make_cluster: Callable[..., FakeCluster]) -> FakeCluster:
    """A cluster that has everything."""
    return make_cluster()
