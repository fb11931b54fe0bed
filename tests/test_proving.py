"""Proofs as data: what each act demands, how they are counted, and what a later run may take over."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tools.cases.proving import FILE, ProofResult, Seen, after, before, proven_before, rate, under, write
from tools.errors import UserError
from tools.outcomes import Outcome
from tools.report.record import ProofRecord

SUITE = {"version": "0.1.0", "commit": "c0ffee", "dirty": "false"}
PROVEN = ProofResult("pool-is-there", "gpu", "pool_gone", ("no pool",), True, "", "expected: a pool; no pool", "", 1.5)
OTHER = replace(PROVEN, fault="pool_empty")
FAILED = replace(OTHER, proven=False, problem="under the fault it passed instead of failing")
LEFT_OUT = replace(FAILED, case="keda-scales", problem="", left_out="need keda; have none")


def test_before_the_fault_it_passes() -> None:
    assert before(Seen(Outcome.PASSED)) == ""
    assert before(Seen(Outcome.FAILED, "no pool")) == "it did not pass before the fault: failed: no pool"


def test_under_the_fault_it_fails_with_all_words() -> None:
    assert under(Seen(Outcome.FAILED, "no pool in ns"), ("no pool", "ns")) == ""
    assert under(Seen(Outcome.FAILED, "no pool"), ("no pool", "ns", "why")) == (
        "under the fault it failed without saying 'ns', 'why':\nno pool"
    )


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (Seen(Outcome.PASSED), "passed instead of failing"),
        (Seen(Outcome.BROKEN, "no route"), "broke instead of failing: no route"),
        (Seen(Outcome.NOT_RUN, "not Ready"), "was not run instead of failing: not Ready"),
        (Seen(Outcome.SKIPPED), "was skipped instead of failing"),
    ],
)
def test_under_the_fault_nothing_else_counts(seen: Seen, problem: str) -> None:
    assert under(seen, ("no pool",)) == f"under the fault it {problem}"


def test_after_the_fault_it_passes_again() -> None:
    assert after(Seen(Outcome.PASSED)) == ""
    assert after(Seen(Outcome.BROKEN, "x")) == "it did not pass again after the fault: broken: x"


def test_a_case_is_proven_by_all_of_its_faults() -> None:
    assert rate([PROVEN, OTHER], [], 7) == ProofRecord(1, 1, 7)
    assert rate([PROVEN, FAILED], [], 7) == ProofRecord(0, 1, 7)
    assert rate([PROVEN, replace(FAILED, accelerator="tpu")], [], 7) == ProofRecord(1, 2, 7)


def test_what_is_left_out_counts_nowhere_and_what_did_not_come_is_not_proven() -> None:
    assert rate([PROVEN, LEFT_OUT], [PROVEN.key, LEFT_OUT.key], 7) == ProofRecord(1, 1, 7)
    assert rate([PROVEN], [PROVEN.key, OTHER.key], 7) == ProofRecord(0, 1, 7)
    assert rate([], [], 7) == ProofRecord(0, 0, 7)


def test_what_is_proven_is_taken_over_from_the_file(tmp_path: Path) -> None:
    write(tmp_path / "run", [PROVEN, FAILED, LEFT_OUT], [], 7, SUITE)
    assert proven_before(tmp_path / "run", SUITE) == [PROVEN]
    written = json.loads((tmp_path / "run" / FILE).read_text())
    assert (written["proven"], written["selected"], written["cases"], written["rate"]) == (0, 1, 7, 0.0)
    assert written["suite"] == SUITE
    assert [path.name for path in (tmp_path / "run").iterdir()] == [FILE]


def test_the_rate_of_nothing_is_none(tmp_path: Path) -> None:
    write(tmp_path, [LEFT_OUT], [], 7, SUITE)
    assert json.loads((tmp_path / FILE).read_text())["rate"] is None


@pytest.mark.parametrize(
    "now", [SUITE | {"commit": "decaf"}, SUITE | {"dirty": "true"}, SUITE | {"profiles": "another's"}]
)
def test_nothing_is_taken_over_from_another_suite(tmp_path: Path, now: dict[str, str]) -> None:
    write(tmp_path, [PROVEN], [], 7, SUITE)
    with pytest.raises(UserError, match="the same suite") as refused:
        proven_before(tmp_path, now)
    assert refused.value.next_step == "--prove without --prove-resume"


def test_nothing_is_taken_over_from_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"there is no {tmp_path}/none/prove\.json"):
        proven_before(tmp_path / "none", SUITE)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"proofs": [{"case": "x"}]}', '{"proofs": 7}'])
def test_what_is_no_file_of_proofs_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match=r"prove\.json as `--prove` writes it"):
        proven_before(tmp_path, SUITE)
