"""`llmisvc-conformance signoff`, through its command line, on directories as runs leave them."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.report_runs import case
from tests.run_records import COMMIT, rehearsal, release
from tools.cli import main
from tools.outcomes import Outcome
from tools.paths import CHECKOUT
from tools.records import problems
from tools.report.record import ProofRecord, RunRecord
from tools.report.signoff import SCHEMA
from tools.report.write import write_all

RunMaker = Callable[..., Path]


@pytest.fixture
def finished(tmp_path: Path) -> RunMaker:
    """Makes the directory of a run."""

    def make(record: RunRecord, name: str = "run") -> Path:
        directory = tmp_path / name
        assert write_all(record, directory) == ()
        (directory / "evidence").mkdir()
        (directory / "evidence" / "pods.txt").write_text("two pods\n")
        return directory

    return make


def signoff(*arguments: str | Path) -> int:
    return main(["signoff", *map(str, arguments)])


def written(directory: Path) -> Any:
    return json.loads((directory / "signoff.json").read_text())


def test_a_run_that_may_go_out_is_signed_off(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    assert signoff(directory, "--by", "Ada") == 0
    value = written(directory)
    assert value["decision"] == "signed off"
    assert value["signed"]["by"] == "Ada"
    assert value["suite"] == {"version": "0.1.0", "commit": COMMIT, "dirty": "false"}
    assert value["proof"] is None
    assert value["baseline"] is None
    out = capsys.readouterr().out
    assert "SIGNED OFF by Ada" in out
    assert hashlib.sha256((directory / "signoff.json").read_bytes()).hexdigest() in out


def test_what_is_written_is_as_the_schema_has_it(finished: RunMaker) -> None:
    baseline = finished(release(case("old-one"), run="0", versions={"kserve": "0.19.1"}), "baseline")
    directory = finished(release(case("new-one"), proof=ProofRecord(3, 3, 4)))
    signoff(directory, "--by", "Ada", "--baseline", baseline)
    schema = yaml.safe_load(SCHEMA.read_text())
    assert problems(written(directory), schema) == []
    assert problems(written(directory) | {"decision": "perhaps", "x": 1}, schema) != []


def test_the_documented_rules_are_the_rules(finished: RunMaker) -> None:
    text = (CHECKOUT / "docs" / "signoff.md").read_text()
    directory = finished(release())
    signoff(directory, "--by", "Ada")
    rules = [each["name"] for each in written(directory)["rules"]]
    assert re.findall(r"^\| `([a-z-]+)` \| (?!.*\| )", text, re.MULTILINE) == rules


def test_every_file_has_its_checksum_but_the_sign_off(finished: RunMaker) -> None:
    directory = finished(release())
    signoff(directory, "--by", "Ada")
    files = written(directory)["files"]
    assert set(files) == {"conformance-report.yaml", "evidence/pods.txt", "junit.xml", "run.json", "summary.html"}
    assert all(files[name] == hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in files)


@pytest.mark.parametrize(
    ("record", "status", "told"),
    [
        (rehearsal(), 10, "REHEARSAL: All 2 executed cases passed. A rehearsal, not a release."),
        (release(case("a-b", Outcome.FAILED)), 1, "The product broke a promise: 1 core case failed: a-b (gpu)."),
        (release(case("a-b", Outcome.BROKEN)), 11, "INCONCLUSIVE"),
        (release(suite={"commit": COMMIT, "dirty": "true"}), 11, "with changes that are in no commit"),
        (release(case("a-b", evidence=("evidence/gone.txt",))), 11, "missing: evidence/gone.txt"),
    ],
)
def test_a_run_that_may_not_go_out_is_refused_and_that_is_written(
    finished: RunMaker, capsys: pytest.CaptureFixture[str], record: RunRecord, status: int, told: str
) -> None:
    directory = finished(record)
    assert signoff(directory, "--by", "Ada") == status
    out = capsys.readouterr().out
    assert "REFUSED" in out
    assert told in out
    assert written(directory)["decision"] == "refused"


def test_what_changed_since_the_baseline_is_told(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    baseline = finished(release(case("a-b"), run="0", versions={"kserve": "0.19.1"}), "baseline")
    directory = finished(release(case("a-b", Outcome.NOT_SUPPORTED)))
    signoff(directory, "--by", "Ada", "--baseline", baseline)
    value = written(directory)["baseline"]
    assert value["run"] == "0"
    assert value["sha256"] == hashlib.sha256((baseline / "run.json").read_bytes()).hexdigest()
    assert value["changes"]["worse"] == [{"what": "a-b (gpu)", "was": "passed", "now": "not supported"}]
    assert "  versions: kserve: 0.19.1 -> 0.19.0" in capsys.readouterr().out


def test_nothing_changed_since_the_baseline(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    signoff(finished(release()), "--by", "Ada", "--baseline", finished(release(run="0"), "baseline"))
    assert "nothing changed since 0" in capsys.readouterr().out


def test_many_changes_are_cut_on_the_screen_and_whole_in_the_file(
    finished: RunMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = finished(release(*[case(f"a-{number}") for number in range(14)]))
    signoff(directory, "--by", "Ada", "--baseline", finished(release(run="0"), "baseline"))
    assert "new: 4 more, see signoff.json" in capsys.readouterr().out
    assert len(written(directory)["baseline"]["changes"]["new"]) == 14


def test_a_proof_by_another_run_of_the_same_commit(finished: RunMaker) -> None:
    proof = finished(rehearsal(run="0", proof=ProofRecord(3, 3, 4)), "proof")
    directory = finished(release())
    assert signoff(directory, "--by", "Ada", "--proof", proof) == 0
    sha256 = hashlib.sha256((proof / "run.json").read_bytes()).hexdigest()
    assert written(directory)["proof"] == {"run": "0", "sha256": sha256, "proven": 3, "cases": 4, "rate": 0.75}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"suite": {"commit": "f" * 40, "dirty": "false"}}, "is of ffff"),
        ({"suite": {"commit": COMMIT, "dirty": "true"}}, "with changes: true"),
        ({"proof": None}, "proved none"),
    ],
)
def test_a_proof_of_something_else_is_refused(
    finished: RunMaker, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], told: str
) -> None:
    facts: dict[str, Any] = {"run": "0", "proof": ProofRecord(4, 4, 4)}
    proof = finished(rehearsal(**facts | changes), "proof")
    directory = finished(release())
    assert signoff(directory, "--by", "Ada", "--proof", proof) == 2
    assert told in capsys.readouterr().err
    assert not (directory / "signoff.json").exists()


def test_a_record_that_was_made_better_is_found_by_the_report_beside_it(
    finished: RunMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = finished(release(case("a-b", Outcome.FAILED)))
    text = (directory / "run.json").read_text()
    (directory / "run.json").write_text(text.replace('"outcome": "failed"', '"outcome": "passed"'))
    assert signoff(directory, "--by", "Ada") == 11
    assert "NOT KEPT reports-agree" in capsys.readouterr().out


@pytest.mark.parametrize(("content", "told"), [(None, "there is no conformance-report.yaml"), ("a: [", "no YAML")])
def test_a_run_without_its_report_is_refused(
    finished: RunMaker, capsys: pytest.CaptureFixture[str], content: str | None, told: str
) -> None:
    directory = finished(release())
    (directory / "conformance-report.yaml").unlink()
    if content:
        (directory / "conformance-report.yaml").write_text(content)
    assert signoff(directory, "--by", "Ada") == 11
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "there is none"),
        ("{", "Expecting property name"),
        ("[]", "list"),
        ('{"schema": 2}', "run record of schema 1 expected, this one has 2"),
        ('{"schema": 1}', "not a run record"),
    ],
)
@pytest.mark.parametrize("which", ["run", "--baseline", "--proof"])
def test_a_record_that_cannot_be_used_is_refused_and_nothing_is_written(
    finished: RunMaker, capsys: pytest.CaptureFixture[str], text: str | None, told: str, which: str
) -> None:
    directory, bad = finished(release()), finished(release(run="0"), "bad")
    (bad / "run.json").unlink()
    if text is not None:
        (bad / "run.json").write_text(text)
    assert signoff(*([bad] if which == "run" else [directory, which, bad]), "--by", "Ada") == 2
    assert told in capsys.readouterr().err
    assert not (directory / "signoff.json").exists()
    assert not (bad / "signoff.json").exists()


def test_a_run_or_baseline_that_is_not_there(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    assert signoff("no-such-run", "--by", "Ada") == 2
    assert signoff(directory, "--by", "Ada", "--baseline", "no-such-run") == 2
    assert "no-such-run: neither; the latest there:" in capsys.readouterr().err
    assert not (directory / "signoff.json").exists()


def test_a_run_is_no_baseline_of_itself(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    assert signoff(directory, "--by", "Ada", "--baseline", directory) == 2
    assert "itself" in capsys.readouterr().err


def test_a_run_is_signed_off_once(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    assert signoff(directory, "--by", "Ada") == 0
    assert signoff(directory, "--by", "Grace") == 2
    assert "signed off by Ada" in capsys.readouterr().err
    assert written(directory)["signed"]["by"] == "Ada"


def test_a_refused_run_may_be_asked_for_again(finished: RunMaker) -> None:
    directory = finished(rehearsal())
    assert [signoff(directory, "--by", name) for name in ("Ada", "Grace")] == [10, 10]
    assert written(directory)["signed"]["by"] == "Grace"


def test_verify_tells_that_nothing_has_changed(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    signoff(directory, "--by", "Ada")
    assert signoff("--verify", directory) == 0
    assert "every file that was decided on is as it was" in capsys.readouterr().out


def test_verify_of_a_refused_run_is_no_success(finished: RunMaker) -> None:
    directory = finished(rehearsal())
    signoff(directory, "--by", "Ada")
    assert signoff("--verify", directory) == 11


def test_verify_names_what_is_changed_missing_and_added(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    signoff(directory, "--by", "Ada")
    (directory / "added.txt").write_text("x")
    assert signoff("--verify", directory) == 0  # what was decided on is still there
    (directory / "evidence" / "pods.txt").write_text("three pods\n")
    (directory / "junit.xml").unlink()
    assert signoff("--verify", directory) == 1
    out = capsys.readouterr().out
    assert "  changed since: evidence/pods.txt" in out
    assert "  missing: junit.xml" in out
    assert "  added, not signed: added.txt" in out
    assert "NOT those that were decided on" in out


def test_a_run_that_was_changed_after_a_decision_cannot_be_signed(
    finished: RunMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = finished(rehearsal())
    signoff(directory, "--by", "Ada")
    write_all(release(), directory)
    assert signoff(directory, "--by", "Ada") == 2
    assert "changed or missing: conformance-report.yaml" in capsys.readouterr().err


def test_a_baseline_that_was_changed_after_its_sign_off_is_refused(
    finished: RunMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = finished(release(run="0"), "baseline")
    signoff(baseline, "--by", "Ada")
    write_all(release(run="0", versions={"kserve": "0.19.9"}), baseline)
    assert signoff(finished(release()), "--by", "Ada", "--baseline", baseline) == 2
    assert "changed or missing: conformance-report.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [(None, "there is none"), ("{", "no JSON"), ("{}", "a sign-off as the schema has it")],
)
def test_verify_without_a_sign_off(
    finished: RunMaker, capsys: pytest.CaptureFixture[str], text: str | None, told: str
) -> None:
    directory = finished(release())
    if text is not None:
        (directory / "signoff.json").write_text(text)
    assert signoff("--verify", directory) == 2
    assert told in capsys.readouterr().err


def test_a_decision_that_was_changed_by_hand_is_found(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(rehearsal())
    signoff(directory, "--by", "Ada")
    path = directory / "signoff.json"
    path.write_text(path.read_text().replace('"refused"', '"signed off"'))
    assert signoff("--verify", directory) == 2
    assert "though a rule is not kept" in capsys.readouterr().err


def test_verify_takes_nothing_else(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    assert signoff("--verify", finished(release()), "--by", "Ada") == 2
    assert "--verify alone" in capsys.readouterr().err


def test_a_link_is_no_file_of_a_run(finished: RunMaker, capsys: pytest.CaptureFixture[str]) -> None:
    directory = finished(release())
    (directory / "evidence" / "link").symlink_to("/etc/hostname")
    assert signoff(directory, "--by", "Ada") == 2
    assert "link is none" in capsys.readouterr().err


def test_nobody_signs_without_a_name(finished: RunMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    directory = finished(release())
    # Neither git's settings nor a user: a name that nobody gave would be worth nothing.
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("USER", raising=False)
    assert signoff(directory) == 2
    assert not (directory / "signoff.json").exists()
    monkeypatch.setenv("USER", "grace")
    assert signoff(directory) == 0
    assert written(directory)["signed"]["by"] == "grace"
