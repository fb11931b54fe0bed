"""The workflows for GitHub: pinned, with few rights, naming what exists, and with a script that does what it says."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.paths import CHECKOUT
from tools.report.exit_codes import ExitCode

GITHUB = CHECKOUT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
FILES = [*WORKFLOWS, *sorted((GITHUB / "actions").glob("*/action.yaml"))]
ACTION = GITHUB / "actions" / "run-cases" / "action.yaml"
# What somebody outside may have written: in a script it would be executed.
_THEIRS = re.compile(r"\$\{\{[^}]*(inputs|github\.event\.|github\.head_ref|github\.ref_name|secrets)[^}]*\}\}")


def read(path: Path) -> dict[str, Any]:
    """A workflow; YAML 1.1 takes its key `on` for a boolean."""
    value = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: each for key, each in value.items()}


def jobs(path: Path) -> dict[str, Any]:
    return dict(read(path)["jobs"])


def steps(path: Path) -> list[dict[str, Any]]:
    value = read(path)
    if "runs" in value:
        return list(value["runs"]["steps"])
    return [step for job in value["jobs"].values() for step in job["steps"]]


def scripts(path: Path) -> list[str]:
    return [step["run"] for step in steps(path) if "run" in step]


def test_there_are_workflows() -> None:
    assert {path.name for path in WORKFLOWS} == {"conformance.yaml", "conformance-existing.yaml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text())
    ours = [each for each in used if each.startswith("./")]
    assert [each for each in ours if not (CHECKOUT / each / "action.yaml").is_file()] == []
    pinned = re.compile(r"actions/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [each for each in used if each not in ours and not pinned.fullmatch(each)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_few_and_runs_end(path: Path) -> None:
    assert read(path)["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in read(path)["on"]
    assert read(path)["concurrency"]["group"]
    assert [name for name, job in jobs(path).items() if not 0 < job["timeout-minutes"] <= 180] == []
    widened = {name: job["permissions"] for name, job in jobs(path).items() if "permissions" in job}
    expected = {"pages": {"pages": "write", "id-token": "write"}} if path.name == "conformance.yaml" else {}
    assert widened == expected


def test_code_of_a_fork_does_not_run_as_root() -> None:
    condition = jobs(GITHUB / "workflows" / "conformance.yaml")["local"]["if"]
    assert "head.repo.full_name == github.repository" in condition


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_script_has_the_words_of_others_in_it(path: Path) -> None:
    assert [script for script in scripts(path) if _THEIRS.search(script)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_are_bash(path: Path) -> None:
    for script in scripts(path):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_make_targets_that_are_named_exist() -> None:
    text = (CHECKOUT / "Makefile").read_text()
    named = {name for path in FILES for script in scripts(path) for name in re.findall(r"\bmake ([a-z]+)", script)}
    assert named == {"env", "preflight", "stack"}
    assert [name for name in named if not re.search(rf"^{name}:", text, re.MULTILINE)] == []


def test_options_and_profiles_that_are_named_exist() -> None:
    options = (CHECKOUT / "fixtures" / "options.py").read_text()
    given = {
        line.strip()
        for path in WORKFLOWS
        for step in steps(path)
        for line in str(step.get("with", {}).get("arguments", "")).splitlines()
    }
    assert {each for each in given if each.startswith("--") and f'"{each.partition("=")[0]}"' not in options} == set()
    default = read(GITHUB / "workflows" / "conformance-existing.yaml")["on"]["workflow_dispatch"]["inputs"]["profile"]
    for name in [default["default"], "local-gpu", "local-tpu"]:
        assert (CHECKOUT / "manifests" / "profiles" / f"{name}.yaml").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_modules_that_are_run_exist(path: Path) -> None:
    named = re.findall(r"python -m (tools\.[a-z_.]+)", "\n".join(scripts(path)))
    assert [name for name in named if not (CHECKOUT / (name.replace(".", "/") + ".py")).is_file()] == []


@pytest.mark.parametrize(
    ("pytests", "rehearsal", "expected"),
    [
        (ExitCode.RELEASABLE, "refuse", 0),
        (ExitCode.REHEARSAL, "accept", 0),
        (ExitCode.REHEARSAL, "refuse", ExitCode.REHEARSAL),
        (ExitCode.PRODUCT_FAILURE, "accept", ExitCode.PRODUCT_FAILURE),
        (ExitCode.INCONCLUSIVE, "accept", ExitCode.INCONCLUSIVE),
        (ExitCode.MISUSE, "accept", ExitCode.MISUSE),
        (ExitCode.NOTHING_SELECTED, "accept", ExitCode.NOTHING_SELECTED),
    ],
)
def test_only_a_green_rehearsal_is_accepted_and_only_where_it_is_said(
    tmp_path: Path, pytests: int, rehearsal: str, expected: int
) -> None:
    done, output = run_cases(tmp_path, f"mkdir -p reports/new; touch reports/new/run.json; exit {pytests}", rehearsal)
    assert done.returncode == expected
    assert output == "run=reports/new\n"
    assert ("::notice title=Rehearsal::" in done.stdout) == (pytests == ExitCode.REHEARSAL and rehearsal == "accept")


def test_each_line_is_an_argument_and_an_older_run_is_not_this_one(tmp_path: Path) -> None:
    (tmp_path / "reports" / "sample").mkdir(parents=True)
    (tmp_path / "reports" / "sample" / "run.json").touch()
    done, output = run_cases(tmp_path, 'printf "<%s>" "$@"; exit 4', "accept")
    assert done.stdout == "<-m><gpu and conformance(level='core')>"
    assert output == "run=\n"


def run_cases(checkout: Path, pytests: str, rehearsal: str) -> tuple["subprocess.CompletedProcess[str]", str]:
    """Run the action's script, with a program in pytest's place; its end and what it gives to later steps."""
    program = checkout / ".venv" / "bin" / "pytest"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/bash\n{pytests}\n")
    program.chmod(0o755)
    output = checkout / "output"
    environment = {
        "PATH": "/usr/bin:/bin",
        "RUNNER_TEMP": str(checkout),
        "GITHUB_OUTPUT": str(output),
        "ARGUMENTS": "-m\ngpu and conformance(level='core')\n\n",
        "REHEARSAL": rehearsal,
    }
    # As GitHub runs `shell: bash`.
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", scripts(ACTION)[0]]
    done = subprocess.run(shell, cwd=checkout, env=environment, capture_output=True, text=True)
    return done, output.read_text()
