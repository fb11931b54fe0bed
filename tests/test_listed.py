"""Every listed fault is caught by a case that is proved with it, or there is a reason; and nothing is listed twice."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.listed import CATCHES, Catch, catches, listed, page, proved
from tools.cases.index import all_cases
from tools.paths import CHECKOUT

OUT_OF_REACH = 10
LIVE = 65
KNOWN = catches()


def test_every_entry_is_about_a_listed_fault_and_none_is_there_twice() -> None:
    ids = Counter(each.id for each in KNOWN)
    assert sorted(ids.keys() - {each.id for each in listed()}) == []
    assert {name: [each.where for each in KNOWN if each.id == name] for name, count in ids.items() if count > 1} == {}


def test_every_listed_fault_has_an_entry() -> None:
    assert sorted({each.id for each in listed()} - {each.id for each in KNOWN}) == []
    assert sum(bool(each.fault) for each in KNOWN) >= LIVE


def test_few_are_out_of_reach() -> None:
    reasons = {each.id: each.why for each in KNOWN if each.why}
    assert len(reasons) <= OUT_OF_REACH, reasons
    assert [name for name, why in reasons.items() if len(why.split()) < 5 or "\n" in why] == []


def test_every_case_is_proved_by_the_fault_that_is_named() -> None:
    found = {case.name: {proof.fault.name for proof in case.proofs} for case in all_cases()}
    assert {each.id: each.case for each in KNOWN if each.case and each.case not in found} == {}
    assert {
        each.id: f"{each.case} is not proved by {each.fault}"
        for each in KNOWN
        if each.fault and each.fault not in found[each.case]
    } == {}


def test_every_recorded_proof_is_a_test() -> None:
    text = "\n".join(path.read_text() for path in (CHECKOUT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))
    named = {each.id: each.recorded.rpartition("::")[2].partition("[")[0] for each in KNOWN if each.recorded}
    assert {name: test for name, test in named.items() if test not in there} == {}


def test_an_entry_of_no_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "area.yaml").write_text("RTE-01: {case: route-is-accepted}\n")
    with pytest.raises(ValueError, match=r"area.yaml: RTE-01: case and fault, case and recorded, why, or later"):
        catches(tmp_path)


def test_a_fault_counts_once_it_was_proved_wherever_it_was_tried(tmp_path: Path) -> None:
    known = [Catch(f"X-{number}", "x.yaml", case, fault) for number, case, fault in (
        (1, "a-b", "leak"), (2, "a-b", "flood"), (3, "c-d", "leak"), (4, "e-f", "quake"), (5, "a-b", "leak"))
    ]  # fmt: skip
    rows = [
        ("a-b", "leak", True, ""),
        ("a-b", "flood", True, ""),
        ("a-b", "flood", False, ""),
        ("c-d", "leak", False, "no leak here"),
    ]
    files = [tmp_path / "0.json", tmp_path / "1.json"]
    for path, some in zip(files, (rows[:2], rows[2:]), strict=True):
        keys = ("case", "fault", "proven", "left_out")
        path.write_text(json.dumps({"proofs": [dict(zip(keys, row, strict=True)) for row in some]}))
    assert proved(files, [*known, Catch("X-6", "x.yaml", why="it cannot be seen here at all")]) == ("X-1", "X-5")


def test_page_is_made_of_the_list_and_the_entries() -> None:
    next_step = "python -m tests.listed > docs/faults.md"
    assert (CHECKOUT / "docs" / "faults.md").read_text() == page(listed(), KNOWN), next_step


def test_files_are_named_like_areas() -> None:
    areas = {path.name for path in (CHECKOUT / "suites").iterdir()} | {"download", "later"}
    assert {path.stem for path in CATCHES.glob("*.yaml")} <= areas
