"""kind is asked for what is needed and no more: a stand-in of pytest-kind and a recording program in place of kind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.kube_server import Serve
from tools.cluster import kind as module
from tools.cluster.kind import KIND, KindProvider
from tools.errors import UserError

_KIND = """#!/bin/sh
echo "$*" >> "{directory}/asked"
case "$1 $2" in
  "version ") echo "kind {version} go1.26 linux/amd64" ;;
  "get clusters") cat "{directory}/clusters" ;;
esac
exit {status}
"""
# What the stand-in of KindCluster was made with, and its calls.
_Calls = list[tuple[str, dict[str, Any]]]
_Make = Callable[..., tuple[KindProvider, _Calls]]


@pytest.fixture
def make(tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> _Make:
    """Providers with a recording kind program, beside a stand-in of pytest-kind's class."""
    _, kube = serve(lambda *_: (200, {"metadata": {"name": "kube-system", "uid": "u-1"}}))
    server = yaml.safe_load(kube.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    calls: _Calls = []

    class KindCluster:
        def __init__(self, name: str, **given: Any) -> None:
            self.name, self.kubeconfig = name, given["kubeconfig"]
            calls.append(("made", {"name": name, **given}))

        def create(self) -> None:
            calls.append(("create", {}))
            context = {"name": f"kind-{self.name}", "context": {"cluster": "c", "user": "u"}}
            content = {
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [context],
            }
            self.kubeconfig.write_text(yaml.safe_dump(content))
            if (tmp_path / "fails").exists():
                raise subprocess.CalledProcessError(1, ["kind", "create", "cluster"])

        def delete(self) -> None:
            calls.append(("delete", {}))

    stub = ModuleType("pytest_kind.cluster")
    stub.KindCluster = KindCluster  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pytest_kind", ModuleType("pytest_kind"))
    monkeypatch.setitem(sys.modules, "pytest_kind.cluster", stub)

    def start(clusters: str = "", version: str = KIND, status: int = 0, **environ: str) -> tuple[KindProvider, _Calls]:
        (tmp_path / "clusters").write_text(clusters)
        for name in ("kind", "kubectl"):
            program = tmp_path / name
            program.write_text(_KIND.format(directory=tmp_path, version=version, status=status))
            program.chmod(0o755)
        found = {"PATH": f"{tmp_path}:/bin:/usr/bin"} | environ
        return KindProvider("mine", tmp_path / "state", found), calls

    return start


def _refusal(provider: KindProvider) -> UserError:
    with pytest.raises(UserError) as refused:
        provider.up()
    return refused.value


def test_cluster_is_made_with_given_programs_and_deleted(make: _Make, tmp_path: Path) -> None:
    provider, calls = make(LLMISVC_KIND_IMAGE="kindest/node@sha256:abc")
    access = provider.up()
    assert (access.provider, access.context, access.identity) == ("kind", "kind-mine", "u-1")
    assert access.owned
    assert calls == [
        (
            "made",
            {
                "name": "mine",
                "kubeconfig": tmp_path / "state" / "mine.kubeconfig",
                "image": "kindest/node@sha256:abc",
                "kind_path": tmp_path / "kind",
                "kubectl_path": tmp_path / "kubectl",
            },
        ),
        ("create", {}),
    ]
    assert provider.down() is True
    assert calls[-1] == ("delete", {})
    assert provider.down() is False
    assert len(calls) == 3


def test_cluster_that_was_there_is_used_and_left(make: _Make, tmp_path: Path) -> None:
    provider, calls = make(clusters="other\nmine\n")
    assert provider.up().context == "kind-mine"
    assert provider.down() is False
    assert [name for name, _ in calls] == ["made", "create"]
    asked = (tmp_path / "asked").read_text().splitlines()
    # Its kubeconfig may be another file's, or be lost.
    assert asked[-1] == f"export kubeconfig --name=mine --kubeconfig={tmp_path}/state/mine.kubeconfig"


def test_cluster_that_failed_half_way_is_deleted(make: _Make, tmp_path: Path) -> None:
    provider, calls = make()
    (tmp_path / "fails").touch()
    assert _refusal(provider).next_step == "docker info"
    assert provider.down() is True
    assert calls[-1] == ("delete", {})


def test_nothing_to_take_down() -> None:
    assert KindProvider().down() is False
    assert KindProvider().deaths() == []


def test_worker_is_refused(make: _Make) -> None:
    provider, calls = make(PYTEST_XDIST_WORKER="gw1")
    assert "worker gw1" in _refusal(provider).observed
    assert calls == []


def test_extra_that_is_not_installed(make: _Make, monkeypatch: pytest.MonkeyPatch) -> None:
    provider, _ = make()
    monkeypatch.setattr(module, "_MODULE", "pytest_kind_that_is_not_there")
    refused = _refusal(provider)
    assert "pytest-kind" in refused.expected
    assert refused.next_step == "pip install 'llmisvc-conformance[kind]'"


@pytest.mark.parametrize("name", ["kind", "kubectl"])
def test_nothing_is_downloaded(make: _Make, tmp_path: Path, name: str) -> None:
    provider, calls = make(PATH=str(tmp_path))
    (tmp_path / name).unlink()
    refused = _refusal(provider)
    assert f"the program {name}, because none is downloaded" in refused.expected
    assert f"LLMISVC_{name.upper()}=/path/to/{name}" in refused.next_step
    assert calls == []


def test_program_that_the_environment_names(make: _Make, tmp_path: Path) -> None:
    provider, calls = make(PATH="/bin:/usr/bin", LLMISVC_KIND=f"{tmp_path}/kind", LLMISVC_KUBECTL=f"{tmp_path}/kubectl")
    provider.up()
    assert calls[0][1]["kind_path"] == tmp_path / "kind"


@pytest.mark.parametrize("version", ["v0.17.0", "v0.32.9", "none"])
def test_old_kind_is_refused(make: _Make, version: str) -> None:
    provider, calls = make(version=version)
    refused = _refusal(provider)
    assert version in refused.observed
    assert f"sigs.k8s.io/kind@{KIND}" in refused.next_step
    assert calls == []


def test_newer_kind_is_taken(make: _Make) -> None:
    provider, _ = make(version="v0.40.1")
    assert provider.up()


def test_kind_that_fails(make: _Make) -> None:
    provider, _ = make(status=3)
    assert "kind v0.33.0" in _refusal(provider).observed


def test_kind_that_is_no_program(make: _Make, tmp_path: Path) -> None:
    provider, _ = make()
    (tmp_path / "kind").write_text("no program")
    assert "Exec format error" in _refusal(provider).observed
