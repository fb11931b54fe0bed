"""What holds for every case: it states its promise, is collected for both accelerators, and was seen to fail."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.proofs import PROOFS, UNPROVEN

CHECKOUT = Path(__file__).resolve().parent.parent


def _cases() -> Iterator[Callable[..., None]]:
    for path in sorted((CHECKOUT / "suites").rglob("test_*.py")):
        module = importlib.import_module(".".join(path.relative_to(CHECKOUT).with_suffix("").parts))
        yield from (value for name, value in vars(module).items() if name.startswith("test_") and callable(value))


CASES = list(_cases())
IDS = [f"{case.__module__}.{case.__name__}" for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_promise_is_one_sentence(case: Callable[..., None]) -> None:
    promise = inspect.getdoc(case) or ""
    assert promise.endswith("."), "the docstring is the case's description in the report"
    assert len(promise) > 20


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_case_uses_a_service_of_an_accelerator(case: Callable[..., None]) -> None:
    assert {"service", "deployed", "client", "root_client"} & set(inspect.signature(case).parameters)


def test_every_case_is_seen_to_fail_or_says_why_not() -> None:
    proven = {case for proof in PROOFS for case in proof.cases}
    assert set(CASES) == proven | set(UNPROVEN)
    assert not proven & set(UNPROVEN)
    assert len(UNPROVEN) <= 2, "a case without a fault is the exception"


def test_every_proof_says_what_the_failure_must_say() -> None:
    assert all(words for proof in PROOFS for words in proof.cases.values())
    faults = [proof.fault for proof in PROOFS]
    assert len(set(faults)) == len(faults)


def test_every_file_of_cases_is_in_an_area() -> None:
    areas = {path.parent.parent for path in (CHECKOUT / "suites").rglob("test_*.py")}
    assert areas == {CHECKOUT / "suites"}
