"""What pytest does with the command lines of the suite, without any cluster."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent

pytest_plugins = ["pytester"]

CONFTEST = """
pytest_plugins = [
    f"fixtures.{name}" for name in ("options", "order", "accelerator", "run", "cluster", "report")
]
"""
INI = """
[pytest]
testpaths = suites
addopts = --strict-markers
markers =
    gpu: GPU
    tpu: TPU
"""
CASES = """
import pytest

def test_second(accelerator):
    "A promise."

def test_first(accelerator):
    "A promise."
"""


def _pytest(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env=os.environ | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A checkout with two areas of one file each."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini(INI)
    for area in ("server", "reconcile"):
        directory = pytester.path / "suites" / area
        directory.mkdir(parents=True)
        (directory / f"test_{area}.py").write_text(CASES)
    return pytester


def test_bare_pytest_runs_nothing_and_names_both_commands() -> None:
    done = _pytest()
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "pytest -m gpu" in done.stderr
    assert "pytest -m tpu" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("marks", "wanted"), [("gpu", {"gpu"}), ("tpu", {"tpu"}), ("gpu or tpu", {"gpu", "tpu"})])
def test_marks_choose_the_accelerator(marks: str, wanted: set[str]) -> None:
    done = _pytest("-m", marks, "--collect-only", "-q")
    found = re.findall(r"^suites/\S+\[(\w+)]$", done.stdout, re.MULTILINE)
    assert set(found) == wanted
    assert len(found) >= 15 * len(wanted)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cluster", "existing", "--context", "mine"], "on the local cluster only"),
        (["--kubeconfig", "/nowhere"], "on the local cluster only"),
        (["-n", "2"], "cases in one process"),
    ],
)
def test_what_this_version_cannot_do_is_refused(arguments: list[str], words: str) -> None:
    done = _pytest("-m", "gpu", *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in done.stderr
    assert "next: leave out" in done.stderr


def test_missing_stack_names_the_command_that_builds_it(tmp_path: Path) -> None:
    done = _pytest("-m", "gpu", XDG_CACHE_HOME=str(tmp_path / "cache"), XDG_STATE_HOME=str(tmp_path / "state"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "make stack" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "state").exists()


def test_cases_have_one_order_whatever_shuffles(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-m", "gpu or tpu", "--collect-only", "-q", "-p", "randomly")
    listed = [line for line in result.outlines if "::" in line]
    files = ["suites/reconcile/test_reconcile.py", "suites/server/test_server.py"]
    functions = ["test_second", "test_first"]
    assert listed == [
        f"{file}::{function}[{accelerator}]"
        for accelerator in ("gpu", "tpu")
        for file in files
        for function in functions
    ]


def test_last_lines_count_the_cases(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-m", "gpu or tpu")
    result.stdout.fnmatch_lines(
        ["live cases on the local cluster: 4 gpu, 4 tpu; 8 passed", "a rehearsal: * manifests/stack/standins.yaml*"]
    )
    assert result.ret == pytest.ExitCode.OK


def test_failed_and_broken_are_told_apart(project: pytest.Pytester) -> None:
    (project.path / "suites/server/test_server.py").write_text(
        """
import pytest
from tools.explain import check

@pytest.fixture
def unready():
    pytest.fail("not run, because the service is not Ready", pytrace=False)

def test_product(accelerator):
    check(False, "this", "that")

def test_instrument(accelerator):
    raise OSError("no network")

def test_never(accelerator, unready):
    pass
"""
    )
    result = project.runpytest_subprocess("-m", "gpu")
    line = "live cases on the local cluster: 4 gpu; 2 passed, 1 failed, 1 not run, 1 broken"
    result.stdout.fnmatch_lines([line])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_mistake_of_the_user_is_told_without_a_stack(project: pytest.Pytester) -> None:
    (project.path / "suites/server/test_server.py").write_text(
        """
from tools.errors import UserError

def test_mistake(accelerator):
    raise UserError("a stack", "none", next_step="make stack")
"""
    )
    result = project.runpytest_subprocess("-m", "gpu")
    result.stdout.fnmatch_lines(["*expected:       a stack", "*next:           make stack"])
    result.stdout.no_fnmatch_line("*test_server.py:*: in test_mistake*")
    result.stdout.fnmatch_lines(["live cases on the local cluster: 3 gpu; 2 passed, 1 broken"])


def test_skipped_cases_alone_are_no_success(project: pytest.Pytester) -> None:
    for area in ("server", "reconcile"):
        path = project.path / f"suites/{area}/test_{area}.py"
        path.write_text("import pytest\n\ndef test_one(accelerator):\n    pytest.skip('not today')\n")
    result = project.runpytest_subprocess("-m", "gpu")
    result.stdout.fnmatch_lines(["live cases on the local cluster: none ran; 2 skipped"])
    assert result.ret != pytest.ExitCode.OK


def test_results_go_to_a_fresh_directory_of_the_run(project: pytest.Pytester) -> None:
    project.runpytest_subprocess("-m", "gpu")
    project.runpytest_subprocess("-m", "gpu")
    runs = list((project.path / "reports").iterdir())
    assert len(runs) == 2
    assert all(len(list(run.glob("allure-results/*-result.json"))) == 4 for run in runs)


def test_own_tests_make_no_report(project: pytest.Pytester) -> None:
    project.makepyfile(test_own="def test_one(): pass")
    result = project.runpytest_subprocess("test_own.py")
    assert result.ret == pytest.ExitCode.OK
    assert not (project.path / "reports").exists()
