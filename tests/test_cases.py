"""What holds for every case that is shipped: its promise, its level, what it needs, and faults that make it fail."""

import importlib
import pkgutil

import pytest

from tools import faults
from tools.cases.case import Case, by_level, orphans, problems, twice
from tools.cases.index import SUITES, all_cases
from tools.faults.fault import Fault
from tools.features import NAMES
from tools.outcomes import Level
from tools.profile import CLAIMS

CASES = all_cases()
KEYS = [claim.key for claim in CLAIMS]


@pytest.mark.parametrize("case", CASES, ids=[each.name for each in CASES])
def test_case_is_in_order(case: Case) -> None:
    assert problems(case, NAMES, KEYS) == []


def test_names_are_unique_and_no_manifest_is_orphaned() -> None:
    assert twice(CASES) == []
    assert orphans(SUITES) == []


def test_both_levels_are_used() -> None:
    assert by_level(CASES).keys() == set(Level)


def test_every_claim_that_is_checked_exists() -> None:
    assert {key for case in CASES for key in case.checks} <= set(KEYS)


def test_every_fault_makes_some_case_fail() -> None:
    used = {proof.fault.name for case in CASES for proof in case.proofs}
    assert {each.name for each in all_faults()} == used


def test_no_two_faults_have_one_name() -> None:
    names = [each.name for each in all_faults()]
    assert len(names) == len(set(names))


def test_a_fault_says_what_it_breaks_in_a_sentence() -> None:
    assert [each.name for each in all_faults() if not each.breaks.endswith(".")] == []


def test_every_file_of_cases_is_in_an_area() -> None:
    assert {path.parent.parent for path in SUITES.rglob("test_*.py")} == {SUITES}


def all_faults() -> list[Fault]:
    """Every fault of tools/faults."""
    names = [each.name for each in pkgutil.iter_modules(faults.__path__, f"{faults.__name__}.")]
    modules = [importlib.import_module(name) for name in names]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Fault)]
