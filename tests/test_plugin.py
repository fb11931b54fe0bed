"""What a user meets first: a bare `pytest`, the marks, a stack that is not built, and the harness's own tests."""

import subprocess
import sys
from collections import Counter

from tests.frame.checkout import Checkout
from tools.cases.index import all_cases
from tools.paths import CHECKOUT
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
@case("pool-sound")
def test_sound(service):
    """A promise that is kept."""
'''


def test_bare_pytest_runs_nothing_and_names_both_commands(checkout: Checkout) -> None:
    checkout.suite("pool", CASES)
    session = checkout.session()
    assert session.status == ExitCode.MISUSE
    assert "pytest -m gpu" in session.output
    assert "pytest -m tpu" in session.output
    assert "Traceback" not in session.output
    assert session.reports is None


def test_marks_choose_the_accelerator_of_every_case() -> None:
    """Of the cases that are shipped, in this checkout itself."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "gpu or tpu", "--collect-only", "-q"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    found = Counter(line.rpartition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "::" in line)
    assert found == {"gpu": len(all_cases()), "tpu": len(all_cases())}


def test_a_stack_that_is_not_built_is_told_with_the_command_that_builds_it(checkout: Checkout) -> None:
    checkout.suite("pool", CASES)
    session = checkout.session("-m", "gpu")
    assert session.status == ExitCode.INCONCLUSIVE
    assert "stack: not built; next: make stack" in session.output
    assert session.record.ended_by == "the local cluster cannot be had"
    assert "make stack" in session.record.ended_text
    assert "Traceback" not in session.output
    assert not list(checkout.path.glob(".local/state/*"))


def test_own_tests_make_no_report(checkout: Checkout) -> None:
    (checkout.path / "test_own.py").write_text("def test_one(): pass\n")
    session = checkout.session("test_own.py")
    assert session.status == 0
    assert "verdict" not in session.output
    assert not (checkout.path / "reports").exists()


def test_a_file_that_pytest_mistakes_for_a_test_is_told() -> None:
    """pytest would look for its configuration beside it, and know none of the suite's options."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "--kubeconfig", "/etc/hostname", "--plan"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.MISUSE
    assert "write option and file as one word, for example --kubeconfig=FILE" in done.stderr
