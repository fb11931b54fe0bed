"""Exit statuses of a run; the table in docs/ci.md says the same."""

import re

import pytest

from tools.paths import CHECKOUT
from tools.report.exit_codes import OF_VERDICT, ExitCode, exit_code
from tools.report.verdict import Verdict

_TABLE = re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", (CHECKOUT / "docs" / "ci.md").read_text(), re.MULTILINE)


def test_the_documented_table_is_the_code() -> None:
    assert [(str(each.value), each.name) for each in ExitCode] == _TABLE


def test_only_a_release_is_zero_and_every_verdict_has_its_own() -> None:
    assert OF_VERDICT[Verdict.RELEASABLE] == 0
    assert len({int(code) for code in OF_VERDICT.values()}) == len(Verdict)


@pytest.mark.parametrize(
    ("ours", "pytests"),
    [
        (ExitCode.PRODUCT_FAILURE, pytest.ExitCode.TESTS_FAILED),
        (ExitCode.INTERRUPTED, pytest.ExitCode.INTERRUPTED),
        (ExitCode.INTERNAL_ERROR, pytest.ExitCode.INTERNAL_ERROR),
        (ExitCode.MISUSE, pytest.ExitCode.USAGE_ERROR),
        (ExitCode.NOTHING_SELECTED, pytest.ExitCode.NO_TESTS_COLLECTED),
    ],
)
def test_pytests_own_codes_keep_their_meaning(ours: ExitCode, pytests: pytest.ExitCode) -> None:
    assert int(ours) == int(pytests)


@pytest.mark.parametrize(
    ("verdict", "pytests", "expected"),
    [
        (Verdict.RELEASABLE, 0, ExitCode.RELEASABLE),
        (Verdict.REHEARSAL, 0, ExitCode.REHEARSAL),
        (Verdict.NOT_RELEASABLE, 1, ExitCode.PRODUCT_FAILURE),
        (Verdict.INCONCLUSIVE, 1, ExitCode.INCONCLUSIVE),
        (Verdict.INCONCLUSIVE, 0, ExitCode.INCONCLUSIVE),
        (Verdict.INCONCLUSIVE, 2, ExitCode.INTERRUPTED),
        (Verdict.NOT_RELEASABLE, 2, ExitCode.PRODUCT_FAILURE),
        (Verdict.INCONCLUSIVE, 3, ExitCode.INTERNAL_ERROR),
        (Verdict.NOT_RELEASABLE, 3, ExitCode.INTERNAL_ERROR),
        (Verdict.INCONCLUSIVE, 4, ExitCode.MISUSE),
        (Verdict.INCONCLUSIVE, 5, ExitCode.NOTHING_SELECTED),
        # Something failed that the record does not have.
        (Verdict.RELEASABLE, 1, ExitCode.INCONCLUSIVE),
        (Verdict.REHEARSAL, 1, ExitCode.INCONCLUSIVE),
    ],
)
def test_the_status_of_a_session(verdict: Verdict, pytests: int, expected: ExitCode) -> None:
    assert exit_code(verdict, pytests) == expected
