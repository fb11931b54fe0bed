"""A context is found by its name, in the files that kubectl would read; what cannot be used is told in one sentence."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.cluster.kubeconfig import candidates, find_context
from tools.errors import UserError


def _config(path: Path, *contexts: str, **parts: Any) -> Path:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443"}}],
        "users": [{"name": "u", "user": {"token": "t0p-secret"}}],
        "contexts": [{"name": each, "context": {"cluster": "c", "user": "u"}} for each in contexts],
        "current-context": contexts[0] if contexts else "",
    }
    path.write_text(yaml.safe_dump(content | parts))
    return path


def test_context_with_its_cluster_and_user(tmp_path: Path) -> None:
    file = _config(tmp_path / "config", "a", "b")
    found = find_context("b", [file])
    assert (found.file, found.context, found.cluster) == (file, "b", "c")
    assert found.server == "https://api.example.com:6443"
    assert found.user == {"token": "t0p-secret"}


def test_first_file_of_a_list_that_has_it_counts(tmp_path: Path) -> None:
    first, second = _config(tmp_path / "1", "a"), _config(tmp_path / "2", "b")
    environ = {"KUBECONFIG": f"{first}:{tmp_path / 'absent'}::{second}"}
    assert find_context("b", candidates(None, environ)).file == second


def test_option_comes_before_the_environment(tmp_path: Path) -> None:
    file = _config(tmp_path / "1", "a")
    assert candidates(file, {"KUBECONFIG": "/elsewhere"}) == [file]


def test_default_file_is_kubectls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kube").mkdir()
    file = _config(tmp_path / ".kube" / "config", "a")
    assert candidates(None, {"KUBECONFIG": ""}) == [file]


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"no {tmp_path}/x \(\$KUBECONFIG\)"):
        candidates(None, {"KUBECONFIG": str(tmp_path / "x")})


def test_unknown_context_lists_the_known_ones_with_the_nearest(tmp_path: Path) -> None:
    file = _config(tmp_path / "config", "staging-eu", "playground")
    with pytest.raises(UserError) as refused:
        find_context("stagin-eu", [file])
    assert "there are playground, staging-eu" in refused.value.observed
    assert refused.value.next_step == "--context staging-eu (if that was meant)"


def test_long_list_of_contexts_is_cut(tmp_path: Path) -> None:
    file = _config(tmp_path / "config", *(f"c{number:02}" for number in range(20)))
    with pytest.raises(UserError, match="c11 and 8 more"):
        find_context("zzz", [file])


def test_context_whose_cluster_is_in_another_file(tmp_path: Path) -> None:
    file = _config(tmp_path / "config", "a", clusters=[])
    with pytest.raises(UserError, match="kubectl config view --flatten --minify --context a > FILE"):
        find_context("a", [file])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("just words", "it is no mapping"),
        ("users:\n- name: u\n  user: {token: t0p-secret]\n", "it is not YAML: line 3"),
        ("contexts: {a: b}", "`contexts` is not a list of names"),
        ("contexts: [{name: a, context: {user: u}}]", "context 'a' names no cluster"),
        (
            "contexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]",
            "cluster 'c' has no `server` that is a URL",
        ),
    ],
)
def test_file_that_is_no_kubeconfig(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "config"
    file.write_text(content)
    with pytest.raises(UserError) as refused:
        find_context("a", [file])
    assert words in refused.value.observed
    assert "t0p-secret" not in str(refused.value)


def test_directory_is_no_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it cannot be read: Is a directory"):
        find_context("a", [tmp_path])


def test_binary_is_no_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="it is not text"):
        find_context("a", [tmp_path / "config"])
