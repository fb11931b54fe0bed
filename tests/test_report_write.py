"""Reports are written whole, and each whatever becomes of the others."""

import json
from pathlib import Path

import pytest

from tests.report_runs import of_every_outcome, run
from tools.report import write
from tools.report.record import RunRecord, dump, load


def test_all_reports_are_there_and_made_from_the_record(tmp_path: Path) -> None:
    record = of_every_outcome()
    assert write.write_all(record, tmp_path / "new" / "run") == ()
    directory = tmp_path / "new" / "run"
    assert {each.name for each in directory.iterdir()} == set(write.REPORTS)
    assert load(json.loads((directory / "run.json").read_text())) == record
    for name, make in write.REPORTS.items():
        assert (directory / name).read_text() == make(record)


def test_record_survives_the_round_trip() -> None:
    record = of_every_outcome()
    assert load(json.loads(json.dumps(dump(record)))) == record


def test_one_writers_bug_costs_only_its_own_report(tmp_path: Path) -> None:
    def buggy(_: RunRecord) -> str:
        raise ZeroDivisionError("of\nmany lines")

    reports = {"first.txt": buggy, "second.txt": lambda record: record.run}
    assert write.write_reports(run(), tmp_path, reports) == (
        "first.txt was not written: ZeroDivisionError: of many lines",
    )
    assert [each.name for each in tmp_path.iterdir()] == ["second.txt"]


def test_place_that_cannot_be_written_is_told_for_each_report(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = write.write_all(run(), tmp_path / "file")
    assert len(told) == len(write.REPORTS)
    assert all("was not written" in line for line in told)


def test_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "report.txt").mkdir()
    with pytest.raises(IsADirectoryError):
        write.write_whole(tmp_path / "report.txt", "text")
    assert [each.name for each in tmp_path.iterdir()] == ["report.txt"]


def test_record_of_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="schema 1 expected"):
        load(dump(run()) | {"schema": 2})
    with pytest.raises(ValueError, match="not a run record"):
        load({"schema": 1})
