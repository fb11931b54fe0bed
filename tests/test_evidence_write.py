"""Evidence as files: names, replacement, and the last door."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.evidence.collect import Evidence
from tools.evidence.write import safe_name, scan, write
from tools.redact import Redactor

SECRET = "planted-secret-value"
TAKEN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _evidence(text: str, objects: str = "") -> Evidence:
    return Evidence({"not well": text, "events": "no events"}, objects, TAKEN, 1.25)


def test_text_and_objects(tmp_path: Path) -> None:
    files = write(
        _evidence("all well", "---\na: 1"), tmp_path / "evidence", "suites/a/test_b.py::test_c[gpu]", Redactor()
    )
    assert [file.name for file in files] == [
        "suites.a.test_b.py.test_c[gpu].txt",
        "suites.a.test_b.py.test_c[gpu].objects.yaml",
    ]
    assert files[0].read_text() == (
        "suites/a/test_b.py::test_c[gpu]\ntaken at 2026-11-24T09:00:00Z in 1.2 s\n\n"
        "=== not well\nall well\n\n=== events\nno events\n"
    )
    assert files[1].read_text() == "---\na: 1\n"
    assert sorted((tmp_path / "evidence").iterdir()) == sorted(files), "nothing unfinished is left"


def test_written_again(tmp_path: Path) -> None:
    write(_evidence("first"), tmp_path, "case", Redactor())
    (file,) = write(_evidence("second"), tmp_path, "case", Redactor())
    assert "second" in file.read_text()
    assert list(tmp_path.iterdir()) == [file]


def test_secrets_are_hidden_in_files(tmp_path: Path) -> None:
    write(_evidence(f"x {SECRET}", f"a: {SECRET}"), tmp_path, f"case {SECRET}", Redactor([SECRET]))
    assert not any(SECRET in file.read_text() for file in tmp_path.iterdir())


@pytest.mark.parametrize("stem", ["../../etc/passwd", "a" * 500, "ü/ü", "", "..", "a\0b", "a\nb", "case [x|y]", "/abs"])
def test_any_stem_is_a_file_below(tmp_path: Path, stem: str) -> None:
    for file in write(_evidence("x", "a: 1"), tmp_path, stem, Redactor()):
        assert file.parent == tmp_path
        assert file.is_file()
        assert not file.name.startswith(".")


def test_different_cases_have_different_files() -> None:
    names = {safe_name(stem) for stem in ("t[a|b]", "t[a b]", "t[a.b]", "x" * 300, "x" * 301)}
    assert len(names) == 5


def test_last_door_hides_and_tells(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    good, leak, binary = tmp_path / "good.txt", tmp_path / "deep" / "leak.json", tmp_path / "deep" / "image.png"
    good.write_text("token=abcdef is no known value")
    leak.write_text(f'{{"a":"{SECRET}","token":"abcdef"}}')
    leak.chmod(0o640)
    binary.write_bytes(b"\xff\x00" + SECRET.encode() + b"\xfe")
    assert scan(tmp_path, [SECRET]) == [binary, leak]
    assert good.read_text() == "token=abcdef is no known value"
    assert leak.read_text() == '{"a":"***","token":"abcdef"}'
    assert leak.stat().st_mode & 0o777 == 0o640
    assert binary.read_bytes() == b"\xff\x00***\xfe"
    assert scan(tmp_path, [SECRET]) == []


def test_last_door_does_not_follow_links_out(tmp_path: Path) -> None:
    outside, reports = tmp_path / "outside", tmp_path / "reports"
    reports.mkdir()
    outside.write_text(SECRET)
    (reports / "link").symlink_to(outside)
    assert scan(reports, [SECRET]) == []
    assert outside.read_text() == SECRET


def test_without_secrets_there_is_nothing_to_find(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("text")
    assert scan(tmp_path, []) == []
    assert scan(tmp_path / "absent", [SECRET]) == []
