"""A component of the cluster that died is told as such: no case's failure is then the product's."""

import json

import pytest

from fixtures.evidence import file_name

pytest_plugins = ["pytester"]

CONFTEST = """
from pathlib import Path

import pytest

from fixtures import cluster as clusters
from tools.cluster.provider import Death
from tools.kube.errors import KubeError

pytest_plugins = [f"fixtures.{name}" for name in ("options", "order", "accelerator", "run", "evidence", "report")]


class Kube:
    def version(self):
        raise KubeError("GET /version", 0, "refused")


def pytest_configure(config):
    dead = [Death("control", "etcd", -9, config.rootpath / "etcd.log")]
    config.stash[clusters._CLUSTER] = clusters.Cluster(None, Kube(), lambda: dead, Path())


@pytest.fixture
def cluster():
    pass


@pytest.fixture
def ready(cluster):
    pytest.fail("not run, because the service is not Ready", pytrace=False)
"""
CASES = """
def test_called(accelerator, cluster):
    assert False, "HTTP 503"

def test_set_up(accelerator, ready):
    pass

def test_passing(accelerator, cluster):
    pass

def test_without_cluster(accelerator):
    assert False, "this is the product"
"""


def test_what_fails_beside_a_dead_component_is_broken(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\ntestpaths = suites\nmarkers =\n    gpu: GPU\n    tpu: TPU\n")
    (pytester.path / "etcd.log").write_text("out of space\n")
    area = pytester.path / "suites" / "server"
    area.mkdir(parents=True)
    (area / "test_server.py").write_text(CASES)
    result = pytester.runpytest_subprocess("-m", "gpu")
    result.stdout.fnmatch_lines(
        [
            "etcd on control died (signal 9)*",
            "*out of space",
            "what was seen then: AssertionError: HTTP 503*",
            "live cases on the local cluster: 3 gpu; 1 passed, 1 failed, 2 broken",
            "  etcd-no-fsync: in place of a managed control plane",
            "*`llmisvc-conformance up` first, then the same command*",
        ]
    )
    (run,) = (pytester.path / "reports").iterdir()
    found = [json.loads(path.read_text()) for path in run.glob("allure-results/*-result.json")]
    assert {each["name"].split("[")[0]: each["status"] for each in found} == {
        "test_called": "broken",
        "test_set_up": "broken",
        "test_passing": "passed",
        "test_without_cluster": "failed",
    }
    assert not (run / "evidence").exists(), "a dead API server is not asked"
    assert "etcd-no-fsync" in (run / "standins.yaml").read_text()
    assert list(run.glob("allure-results/*-globals.json"))


def test_cases_of_one_name_have_files_of_their_own() -> None:
    names = [file_name(f"suites/{area}/test_{area}.py::test_is_accepted[gpu]") for area in ("route", "pool")]
    assert names[0] != names[1]
    assert all("/" not in name and name.endswith(".txt") for name in names)
