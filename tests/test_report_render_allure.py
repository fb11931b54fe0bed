"""Allure's report is rendered by the pinned command line; what is missing is told in a sentence."""

import json
import stat
from pathlib import Path

import pytest

from tools.errors import UserError
from tools.report import allure_cli, render_allure

# Stands for Node.js: tells a version, and makes the page that Allure would make of its arguments.
NODE = """#!/bin/sh
[ "$1" = --version ] && { echo v22.1.0; exit; }
echo "$@" > "$XDG_CACHE_HOME/called"
shift 2
while [ "$1" ]; do [ "$1" = --output ] && out=$2; [ "$1" = --config ] && cp "$2" "$XDG_CACHE_HOME/config"; shift; done
mkdir -p "$out" && cat > "$out/index.html" <<'PAGE'
<p>report</p>
<script async src="https://www.googletagmanager.com/gtag/js?id=G-X"></script>
<script>
  gtag('js', new Date());
</script>
<script>window.report = true</script>
PAGE
"""
NPM = """#!/bin/sh
echo "$@" >> "$XDG_CACHE_HOME/npm"
mkdir -p node_modules/allure && touch node_modules/allure/cli.js
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of programs that is put before PATH, with stand-ins for node and npm; the cache is fresh."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    program(directory / "node", NODE)
    program(directory / "npm", NPM)
    return directory


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Directory of a run with one result."""
    results = tmp_path / "run" / "allure-results"
    results.mkdir(parents=True)
    (results / "a-result.json").write_text("{}")
    (results / "executor.json").write_text('{"reportName": "REHEARSAL: local-gpu"}')
    return results.parent


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_report_is_made_and_tells_nobody(programs: Path, finished: Path) -> None:
    page = render_allure.render(finished)
    assert page == finished / "allure-report" / "index.html"
    text = page.read_text()
    assert "googletagmanager" not in text
    assert "gtag" not in text
    assert "<p>report</p>" in text
    assert "window.report = true" in text
    assert [each.name for each in finished.iterdir() if each.name.startswith(".")] == []
    assert programs.is_dir()


def test_configuration_has_name_groups_and_categories(programs: Path, finished: Path, tmp_path: Path) -> None:
    render_allure.render(finished)
    config = json.loads((tmp_path / "config").read_text())
    options = config["plugins"]["awesome"]["options"]
    assert config["name"] == options["reportName"] == "REHEARSAL: local-gpu"
    assert options["singleFile"] is True
    assert "Not supported by this cluster" in [each["name"] for each in config["categories"]]
    assert programs.is_dir()


def test_packages_are_installed_once_and_run_no_scripts(programs: Path, finished: Path, tmp_path: Path) -> None:
    render_allure.render(finished)
    render_allure.render(finished)
    assert (tmp_path / "npm").read_text().splitlines() == ["ci --ignore-scripts --no-audit --no-fund --loglevel=error"]
    assert [each.name for each in (tmp_path / "llmisvc-conformance" / "allure").glob("install-*")] == []
    assert programs.is_dir()


def test_failed_installation_is_told_and_leaves_nothing(programs: Path, finished: Path, tmp_path: Path) -> None:
    program(programs / "npm", "#!/bin/sh\necho 'npm error network' >&2\nexit 1\n")
    with pytest.raises(UserError, match=r"(?s)npm error network.*summary.html") as caught:
        render_allure.render(finished)
    assert "npm ping" in caught.value.next_step
    assert list((tmp_path / "llmisvc-conformance" / "allure").iterdir()) == []


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_missing_program_is_one_understandable_message(
    programs: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    (programs / missing).unlink()
    monkeypatch.setenv("PATH", str(programs))
    assert render_allure.main([str(finished)]) == 2
    told = capsys.readouterr().err
    assert f"{missing} (Node.js 20 or newer)" in told
    assert "it is not on PATH" in told
    assert "summary.html" in told


def test_old_node_is_refused_before_anything_is_installed(programs: Path, finished: Path, tmp_path: Path) -> None:
    program(programs / "node", "#!/bin/sh\necho v18.19.0\n")
    with pytest.raises(UserError, match=r"v18\.19\.0"):
        render_allure.render(finished)
    assert not (tmp_path / "npm").exists()


def test_failure_of_allure_is_told_and_the_last_report_stays(programs: Path, finished: Path) -> None:
    page = render_allure.render(finished)
    program(programs / "node", "#!/bin/sh\n[ $1 = --version ] && echo v22.0.0 && exit\necho 'no such plugin'\nexit 3\n")
    with pytest.raises(UserError, match="it ended with 3: no such plugin"):
        render_allure.render(finished)
    assert page.is_file()


@pytest.mark.parametrize("arguments", [[], ["/nowhere"], ["a", "b"]])
def test_what_is_no_run_is_refused_with_the_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert render_allure.main(arguments) == 2
    assert "make report RUN=ID" in capsys.readouterr().err


def test_packages_are_pinned_with_hashes_and_without_a_registrys_address() -> None:
    wanted = json.loads((allure_cli.PINNED / "package.json").read_text())
    lock = json.loads((allure_cli.PINNED / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert wanted["dependencies"] == {"allure": packages["node_modules/allure"]["version"]}
    assert [name for name, each in packages.items() if "integrity" not in each] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []
