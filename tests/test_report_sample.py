"""The released sample is made of a run's record alone, fits its schemas, and says nothing of a machine."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.report_runs import case, of_every_outcome, run
from tools.errors import UserError
from tools.outcomes import Outcome
from tools.report import sample
from tools.report.record import RunRecord, load
from tools.report.write import REPORTS, write_all

HOMES = {"/srv/checkout": ".", "/srv": "~"}


def make(record: RunRecord, directory: Path) -> Path:
    """The sample of a record."""
    assert write_all(record, directory / "run") == ()
    sample.make(directory / "run", directory / "sample", HOMES)
    return directory / "sample"


def test_sample_has_every_report_and_nothing_else(tmp_path: Path) -> None:
    made = make(of_every_outcome(), tmp_path)
    assert {each.name for each in made.iterdir()} == set(REPORTS)


def test_checkout_and_home_have_other_names_and_evidence_is_not_named(tmp_path: Path) -> None:
    failed = case("a", Outcome.FAILED, details="see /srv/checkout/x.py and /srv/.state/k", evidence=("evidence/a.txt",))
    made = make(run(failed, command="pytest --kubeconfig=/srv/.kube/config /srvx"), tmp_path)
    record = load(json.loads((made / "run.json").read_text()))
    assert record.cases[0].details == "see ./x.py and ~/.state/k"
    assert record.command == "pytest --kubeconfig=~/.kube/config /srvx"
    assert record.cases[0].evidence == ()
    assert "evidence/a.txt" not in (made / "summary.html").read_text()


def test_reports_of_a_sample_are_those_of_its_record(tmp_path: Path) -> None:
    made = make(of_every_outcome(), tmp_path)
    record = load(json.loads((made / "run.json").read_text()))
    for name, render in REPORTS.items():
        assert (made / name).read_text() == render(record)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("--profile=/mnt/x-1/broken.yaml", "/mnt/x-1/broken.yaml"),
        ("at /home/me/x", "/home/me/x"),
        ("from 8.8.8.8:443", "8.8.8.8"),
    ],
)
def test_what_is_of_a_machine_is_refused_with_its_place(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(UserError) as caught:
        make(run(command=f"pytest {text}"), tmp_path)
    assert f"run.json:6: {found}\n" in caught.value.observed
    assert not (tmp_path / "sample").exists()


@pytest.mark.parametrize(
    "text", ["http://203.0.113.4/x", "10.200.1.7", "127.0.0.1", "Envoy 1.40.0", "~/tmp/x", "/dev/kvm"]
)
def test_addresses_for_documentation_and_private_ones_are_fit(tmp_path: Path, text: str) -> None:
    make(run(trouble=(text,)), tmp_path)


def test_run_of_no_commit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="changes that are in no commit"):
        make(run(suite={"version": "1", "commit": "c", "dirty": "true"}), tmp_path)


def test_command_refuses_what_is_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert sample.main([]) == 2
    assert sample.main(["no-such-run"]) == 2
    assert "make sample RUN=ID" in capsys.readouterr().err


def test_schema_of_the_record_has_every_field_and_refuses_others() -> None:
    schema = yaml.safe_load(Path(sample.__file__).with_name("run.schema.yaml").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    record = json.loads(REPORTS["run.json"](of_every_outcome()))
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(record)) == []
    assert set(record) == set(schema["properties"])
    for name, definition in (("cases", "cases"), ("profiles", "profiles"), ("features", "features")):
        assert set(record[name][0]) == set(schema["properties"][definition]["items"]["properties"])
    errors = jsonschema.Draft202012Validator(schema).iter_errors(record | {"extra": 1, "provider": "moon"})
    assert {each.validator for each in errors} == {"additionalProperties", "enum"}


@pytest.mark.skipif(
    not sample.SAMPLE.is_dir(), reason="need reports/sample; have a checkout before its first `make sample`"
)
def test_released_sample_is_fit_and_made_of_its_record() -> None:
    record = load(json.loads((sample.SAMPLE / "run.json").read_text()))
    for name, render in REPORTS.items():
        text = (sample.SAMPLE / name).read_text()
        assert text == render(record), f"{name} of reports/sample is not what its run.json says; next: make sample"
        assert list(sample.unfit(name, text)) == []
