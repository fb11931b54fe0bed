"""--install puts the stack on a cluster that has none, by the named context only; programs that record stand in."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kube_server import Serve
from tools.errors import UserError
from tools.install.existing import INSTALLED, commands_for, foreign_controllers, install_on
from tools.kube.errors import KubeError
from tools.stack import Stack

_RECORD = """#!/bin/sh
echo "$(basename "$0") $*" >> "{directory}/asked"
cp "$KUBECONFIG" "{directory}/seen"
stat -c %a "$KUBECONFIG" > "{directory}/mode"
"""


class _Cluster:
    """Deployments, namespaces and CRDs; remembers what is written."""

    def __init__(self, deployments: Any = (), namespaces: Any = (), crds: Any = ()) -> None:
        self.lists = {"deployments": list(deployments), "namespaces": list(namespaces)}
        self.crds = {each["metadata"]["name"]: each for each in crds}
        self.written: list[tuple[str, Any]] = []

    def __call__(self, method: str, path: str, _query: dict[str, str], body: Any) -> tuple[int, Any]:
        last = path.rsplit("/", 1)[-1]
        if method != "GET":
            self.written.append((last, body))
            return 200, {}
        if "customresourcedefinitions" in path:
            return (200, self.crds[last]) if last in self.crds else (404, {})
        return 200, {"metadata": {"resourceVersion": "1"}, "items": self.lists[last]}


def _named(name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **more}}


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack whose programs only record."""
    (tmp_path / "bin").mkdir()
    for name in ("kubectl", "helm"):
        program = tmp_path / "bin" / name
        program.write_text(_RECORD.format(directory=tmp_path))
        program.chmod(0o755)
    (tmp_path / "charts").mkdir()
    (tmp_path / "crds" / "gie").mkdir(parents=True)
    (tmp_path / "crds" / "gie" / "inference.networking.k8s.io_inferencepools.yaml").touch()
    return Stack(tmp_path, {}, {}, {})


def test_empty_cluster_gets_the_released_stack(serve: Serve, stack: Stack, tmp_path: Path) -> None:
    cluster = _Cluster(deployments=[_named("coredns", "kube-system")])
    _, kube = serve(cluster)
    reported: list[str] = []
    install_on(kube, stack, reported.append)
    assert cluster.written[:2] == [
        ("istio-system", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}),
        ("istio-system", {"metadata": {"labels": {INSTALLED: "true"}}}),
    ]
    assert "KServe controller ready" in reported
    asked = (tmp_path / "asked").read_text()
    assert f"--values {Path('manifests/stack/upstream').absolute()}/istiod.yaml" in asked
    # The kubeconfig's current context leads elsewhere.
    seen = yaml.safe_load((tmp_path / "seen").read_text())
    assert seen["clusters"][0]["cluster"]["server"] == kube.new_api_client().configuration.host
    assert seen["users"][0]["user"] == {"token": "secret"}
    assert (tmp_path / "mode").read_text() == "600\n"


def test_kubeconfig_of_the_installation_does_not_stay(serve: Serve, stack: Stack) -> None:
    _, kube = serve(_Cluster())
    with commands_for(kube, stack) as commands:
        assert commands.kubeconfig.exists()
    assert not commands.home.exists()


@pytest.mark.parametrize(
    "there",
    [
        _named("istiod", "mesh"),
        _named("istiod-1-29", "mesh", labels={"app": "istiod"}),
        _named("llmisvc-controller-manager", "opendatahub"),
        _named("kserve-controller-manager", "kserve"),
    ],
)
def test_somebody_elses_stack_is_left_alone(serve: Serve, stack: Stack, tmp_path: Path, there: Any) -> None:
    cluster = _Cluster(deployments=[there])
    _, kube = serve(cluster)
    with pytest.raises(UserError) as refused:
        install_on(kube, stack, print)
    assert f"Deployment {there['metadata']['name']} in {there['metadata']['namespace']}" in refused.value.observed
    assert cluster.written == []
    assert not (tmp_path / "asked").exists()


def test_stack_of_an_earlier_installation_is_brought_up_to_date(serve: Serve) -> None:
    _, kube = serve(_Cluster(deployments=[_named("istiod", "istio-system")], namespaces=[_named("istio-system")]))
    assert foreign_controllers(kube) == []


def test_definitions_of_others_are_left_alone(serve: Serve, stack: Stack) -> None:
    name = "inferencepools.inference.networking.k8s.io"
    fields = [{"manager": "gke-addon-manager"}, {"manager": "kube-apiserver", "subresource": "status"}]
    _, kube = serve(_Cluster(crds=[_named(name, managedFields=fields)]))
    with pytest.raises(UserError, match=rf"{name} \(gke-addon-manager made it\)"):
        install_on(kube, stack, print)


def test_definitions_from_here_are_taken_over(serve: Serve, stack: Stack) -> None:
    fields = [{"manager": "llmisvc-conformance"}]
    cluster = _Cluster(crds=[_named("inferencepools.inference.networking.k8s.io", managedFields=fields)])
    _, kube = serve(cluster)
    install_on(kube, stack, lambda _: None)
    assert cluster.written


def test_right_that_is_lacking_is_the_api_servers_word(serve: Serve, stack: Stack) -> None:
    _, kube = serve(lambda *_: (403, {"message": "no"}))
    with pytest.raises(KubeError, match="403: no"):
        install_on(kube, stack, print)
