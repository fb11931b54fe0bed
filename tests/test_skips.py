"""Skips by people: nothing without reason, issue and end, and an end that is past is a failure."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.errors import UserError
from tools.skips import SKIPS, Skip, decide, load_skips

ENTRY = {
    "case": "pool-selects-servers",
    "accelerator": "tpu",
    "reason": "Waits for a fix of the pool.",
    "issue": "https://issues.example.com/7",
    "expires": "2026-12-31",
}
CASES = ["pool-selects-servers", "mesh-sidecars-are-in-sync"]


def written(tmp_path: Path, *entries: dict[str, Any]) -> Path:
    path = tmp_path / "skips.yaml"
    path.write_text(yaml.safe_dump(list(entries), sort_keys=False))
    return path


def without(key: str) -> dict[str, Any]:
    return {each: value for each, value in ENTRY.items() if each != key}


def test_the_shipped_file_skips_nothing() -> None:
    assert load_skips() == ()


def test_the_example_of_the_shipped_file_is_an_entry(tmp_path: Path) -> None:
    lines = [line.removeprefix("#").removeprefix(" ") for line in SKIPS.read_text().splitlines()]
    begin = next(index for index, line in enumerate(lines) if line.startswith("- case:"))
    path = tmp_path / "skips.yaml"
    path.write_text("\n".join(lines[begin : begin + 5]))
    assert [each.case for each in load_skips(path)] == ["mesh-sidecars-are-in-sync"]


def test_an_entry_is_read_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY, without("accelerator") | {"case": "mesh-sidecars-are-in-sync"})
    first, second = load_skips(path, CASES)
    case, accelerator, reason, issue, _ = ENTRY.values()
    assert first == Skip(case, accelerator, reason, issue, date(2026, 12, 31), f"{path}:1:3")
    assert (second.accelerator, second.where) == ("", f"{path}:6:3")


def test_a_case_is_skipped_through_the_last_day_and_fails_from_the_next(tmp_path: Path) -> None:
    skips = load_skips(written(tmp_path, ENTRY))
    last = decide(skips, "pool-selects-servers", "tpu", date(2026, 12, 31))
    assert (last.skipped, last.expired) == (True, False)
    assert last.text == (
        "skipped until 2026-12-31: Waits for a fix of the pool."
        f" (https://issues.example.com/7; {tmp_path}/skips.yaml:1:3)"
    )
    next_day = decide(skips, "pool-selects-servers", "tpu", date(2027, 1, 1))
    assert (next_day.skipped, next_day.expired) == (False, True)
    for part in (
        "its last day was 2026-12-31, today is 2027-01-01",
        f"{tmp_path}/skips.yaml:1:3",
        "issues.example.com/7",
    ):
        assert part in next_day.text


@pytest.mark.parametrize(("case", "kind"), [("pool-selects-servers", "gpu"), ("pool-selects", "tpu")])
def test_other_cases_and_accelerators_run(tmp_path: Path, case: str, kind: str) -> None:
    decision = decide(load_skips(written(tmp_path, ENTRY)), case, kind, date(2027, 1, 1))
    assert (decision.skipped, decision.expired, decision.text) == (False, False, "")


def test_an_entry_without_accelerator_is_for_both(tmp_path: Path) -> None:
    skips = load_skips(written(tmp_path, without("accelerator")))
    assert all(decide(skips, "pool-selects-servers", each, date(2026, 1, 1)).skipped for each in ("gpu", "tpu"))


@pytest.mark.parametrize("key", ["case", "reason", "issue", "expires"])
def test_an_entry_that_lacks_something_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(UserError, match=rf"skips\.yaml:1:3: \[0\]: '{key}' is missing"):
        load_skips(written(tmp_path, without(key)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"reason": "flaky"}, r"skips\.yaml:3:3: \[0\]\.reason: flaky is not of the form"),
        ({"issue": "JIRA-7"}, r"skips\.yaml:4:3: \[0\]\.issue: JIRA-7 is not of the form"),
        ({"expires": "never"}, r"skips\.yaml:5:3: \[0\]\.expires: never is not a date"),
        ({"expires": "2026-02-30"}, "2026-02-30 is not a date"),
        ({"expires": "20261231"}, "20261231 is not a date"),
        ({"accelerator": "gpus"}, "did you mean gpu"),
        ({"until": "2026-12-31"}, r"skips\.yaml:6:3: \[0\]\.until: no such key"),
        ({"case": "pool-selects-server"}, "there is no case 'pool-selects-server'; did you mean pool-selects-servers"),
        ({"case": "Pool Selects"}, "Pool Selects is not of the form"),
    ],
)
def test_a_wrong_entry_is_refused_at_its_place(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        load_skips(written(tmp_path, ENTRY | change), CASES)


@pytest.mark.parametrize(("first", "second"), [("tpu", "tpu"), ("", "tpu"), ("gpu", ""), ("", "")])
def test_two_entries_for_the_same_case_are_refused(tmp_path: Path, first: str, second: str) -> None:
    entries = [without("accelerator") | ({"accelerator": each} if each else {}) for each in (first, second)]
    with pytest.raises(UserError, match=r"for the second time; see .*skips\.yaml:1:3"):
        load_skips(written(tmp_path, *entries))


def test_one_entry_for_each_accelerator_is_allowed(tmp_path: Path) -> None:
    assert len(load_skips(written(tmp_path, ENTRY, ENTRY | {"accelerator": "gpu"}))) == 2


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        load_skips(written(tmp_path, without("issue"), ENTRY | {"case": "no-such"}), CASES)
    assert "'issue' is missing" in refused.value.observed
    assert "no case 'no-such'" in refused.value.observed


@pytest.mark.parametrize("text", ["case: x\n", "- x\n", "- [x]\n", "x\n", ""])
def test_what_is_no_list_of_entries_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "skips.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"wanted, not|is empty"):
        load_skips(path, CASES)
