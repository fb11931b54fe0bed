"""What docs/clusters.md says is so."""

import re

import pytest

from tools import cleanup_cli, cli
from tools.cluster import kind
from tools.cluster.identity import production_word
from tools.kube import labels, tenancy
from tools.paths import CHECKOUT
from tools.settings import Cleanup, Where

_TEXT = (CHECKOUT / "docs" / "clusters.md").read_text()


def test_every_provider_is_there() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", _TEXT, re.MULTILINE)) >= {each.value for each in Where}


def test_files_that_are_linked_exist() -> None:
    linked = re.findall(r"\]\((\.\./[\w./-]+)\)", _TEXT)
    assert linked
    assert [path for path in linked if not (CHECKOUT / "docs" / path).exists()] == []


def test_words_of_production_are_those_of_the_code() -> None:
    for word in ("prod", "production", "prd", "live"):
        assert f"`{word}`" in _TEXT
        assert production_word(word) == word
    for word in ("non-prod", "preprod"):
        assert f"`{word}`" in _TEXT
        assert production_word(word) == ""


def test_names_are_those_of_the_code() -> None:
    assert f"{labels.RUN}=ID" in _TEXT
    assert f"{labels.CASE}=NAME" in _TEXT
    assert f"(`{tenancy.NAME}` in `{tenancy.NAMESPACE}`" in _TEXT
    assert f"forgotten after {tenancy.DURATION_SECONDS} s" in _TEXT
    assert f"kind@{kind.KIND}" in _TEXT
    assert f"--cleanup {'|'.join(each.value for each in Cleanup)}" in _TEXT


def test_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["cleanup", "--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    used = {
        option
        for line in re.findall(r"^llmisvc-conformance cleanup.*$", _TEXT, re.MULTILINE)
        for option in re.findall(r"--[a-z-]+", line)
    }
    assert used
    assert used <= options
    assert cleanup_cli.__doc__
