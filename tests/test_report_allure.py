"""Allure's results say what the record says: every case once, with its outcome, and the run's own facts."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report_runs import case, of_every_outcome, run
from tools.outcomes import Outcome
from tools.report import allure
from tools.report.record import CaseRecord, ProofRecord, RunRecord

SUITE = """
import pytest
from tools.explain import check

@pytest.fixture
def unready():
    pytest.fail("not run, because the service is not Ready", pytrace=False)

pytestmark = pytest.mark.parametrize("accelerator", ["gpu", "tpu"])

def test_ends_passed(accelerator):
    "A promise."

def test_ends_failed(accelerator):
    check(False, "this", "that")

def test_ends_known_issue(accelerator):
    check(False, "this", "that")

def test_ends_broken(accelerator):
    raise OSError("no network")

def test_ends_skipped(accelerator):
    pytest.skip("reason")

def test_ends_not_supported(accelerator):
    pytest.skip("reason")

def test_ends_not_run(accelerator, unready):
    pass
"""


@pytest.fixture(scope="module")
def real_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What allure-pytest itself writes for one case of each outcome on two accelerators."""
    directory = tmp_path_factory.mktemp("allure")
    area = directory / "suites" / "pool"
    area.mkdir(parents=True)
    (area / "test_pool.py").write_text(SUITE)
    (directory / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "--alluredir=results"]
    subprocess.run(command, cwd=directory, capture_output=True, check=False)
    return directory / "results"


@pytest.fixture
def results(real_results: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    copy = tmp_path / "allure-results"
    copy.mkdir()
    for path in real_results.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def read(results: Path) -> dict[str, dict[str, Any]]:
    """Results of cases by their titles; each title once."""
    found = [json.loads(path.read_text()) for path in results.glob("*-result.json")]
    assert len(found) == len({each["name"] for each in found})
    return {each["name"]: each for each in found}


def outcome(result: dict[str, Any]) -> list[str]:
    return [each["value"] for each in result["labels"] if each["name"] == "outcome"]


def write(record: RunRecord, results: Path) -> None:
    assert allure.write_into(record, results, {}) == ()


def test_every_case_has_its_outcome_as_status_label_and_words(results: Path) -> None:
    write(of_every_outcome(), results)
    found = read(results)
    statuses = {name.removesuffix(" [gpu]"): each["status"] for name, each in found.items() if name.endswith("[gpu]")}
    assert statuses == {
        "ends-passed": "passed",
        "ends-failed": "failed",
        "ends-known-issue": "skipped",
        "ends-broken": "broken",
        "ends-skipped": "skipped",
        "ends-not-supported": "skipped",
        "ends-not-run": "unknown",
    }
    assert outcome(found["ends-not-run [tpu]"]) == ["not run"]
    assert found["ends-not-run [tpu]"]["statusDetails"]["message"] == "not run: the picker knows no pod"
    assert "probable cause" in found["ends-failed [gpu]"]["statusDetails"]["message"]
    assert "test_pool.py" in found["ends-failed [gpu]"]["statusDetails"]["trace"]


def test_identity_of_a_case_in_allure_is_left_alone(results: Path) -> None:
    before = {each["uuid"]: each for each in read(results).values()}
    write(of_every_outcome(), results)
    for each in read(results).values():
        assert each["historyId"] == before[each["uuid"]]["historyId"]
        assert each["testCaseId"] == before[each["uuid"]]["testCaseId"]


def test_case_that_was_never_begun_has_a_result(results: Path) -> None:
    record = of_every_outcome()
    never = case("never-begun", Outcome.NOT_RUN, message="the run ended before it", checks=("sidecars",))
    write(replace(record, cases=(*record.cases, never)), results)
    found = read(results)["never-begun [gpu]"]
    assert found["status"] == "unknown"
    assert found["statusDetails"]["message"] == "not run: the run ended before it"
    assert {"name": "story", "value": "every server has a sidecar"} in found["labels"]
    assert found["fullName"] == "suites.pool.test_pool#test_never_begun"


def test_missing_result_looks_like_one_of_allures_own(results: Path) -> None:
    real = read(results)["test_ends_passed[gpu]"]
    passed: CaseRecord = of_every_outcome().cases[0]
    empty = results.parent / "none"
    write(run(passed), empty)
    made = read(empty)["ends-passed [gpu]"]
    for name in ("fullName", "testCaseId", "parameters"):
        assert made[name] == real[name]
    suites = [each for each in real["labels"] if each["name"] in ("parentSuite", "suite", "framework")]
    assert [each for each in suites if each not in made["labels"]] == []


def test_second_time_changes_nothing(results: Path) -> None:
    record = of_every_outcome(cases=(*of_every_outcome().cases, case("never-begun", Outcome.NOT_RUN)))
    write(record, results)
    before = {path.name: path.read_text() for path in results.iterdir()}
    write(record, results)
    assert {path.name: path.read_text() for path in results.iterdir()} == before


def test_every_outcome_but_a_pass_has_its_category(results: Path) -> None:
    write(of_every_outcome(), results)
    categories = json.loads((results / "categories.json").read_text())
    assert [name for name in categories if set(name) - {"name", "matchedStatuses", "messageRegex"}] == []
    found = {outcome(each)[0]: _category(categories, each) for each in read(results).values()}
    assert found == {
        "passed": "",
        "failed": "Product: a promise is broken",
        "known issue": "Known issue upstream",
        "broken": "Broken: suite or cluster could not tell",
        "not run": "Not run: what it rests on failed before",
        "not supported": "Not supported by this cluster",
        "skipped": "Skipped by a person",
    }


def _category(categories: list[dict[str, Any]], result: dict[str, Any]) -> str:
    message = result.get("statusDetails", {}).get("message", "")
    return next(
        (
            each["name"]
            for each in categories
            if result["status"] in each["matchedStatuses"]
            and re.fullmatch(each.get("messageRegex", r"[\s\S]*"), message)
        ),
        "",
    )


def test_environment_has_the_facts_on_single_lines() -> None:
    record = of_every_outcome(context="a\nb: c=d\\e", proof=ProofRecord(3, 4, 12), versions={"gateway api": "1.6 é🚀"})
    lines = allure.environment(record).splitlines()
    assert "verdict = NOT RELEASABLE" in lines
    assert "profile.tpu = local-tpu" in lines
    assert "cluster = local a b: c=d\\\\e" in lines
    assert "version.gateway\\ api = 1.6 \\u00e9\\ud83d\\ude80" in lines
    assert "stand-ins = accelerators" in lines
    assert "proven = 3 of 4" in lines


def test_facts_and_troubles_of_the_run_are_global(results: Path) -> None:
    write(of_every_outcome(ended_by="interrupted by a signal"), results)
    (path,) = results.glob("*-globals.json")
    found = json.loads(path.read_text())
    texts = {each["name"]: (results / each["source"]).read_text() for each in found["attachments"]}
    assert "cannot show: drivers and CUDA" in texts["what stands in for the real things"]
    assert "network-policy: could not be told" in texts["features of the cluster"]
    assert texts["verdict and reasons"].startswith("NOT RELEASABLE\n- ")
    assert [each["message"] for each in found["errors"]] == [
        "interrupted by a signal",
        "namespace llmisvc-1-gpu is still there",
    ]


def test_executor_is_the_suite_or_the_ci_that_runs_it() -> None:
    assert allure.executor(run(), {})["reportName"] == "RELEASABLE: local-gpu"
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/llm",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_NUMBER": "5",
        "GITHUB_WORKFLOW": "release",
    }
    found = allure.executor(run(), environ)
    assert found["buildUrl"] == "https://github.com/acme/llm/actions/runs/77"
    assert found["buildOrder"] == 5


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_result_that_a_killed_worker_left_is_made_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "x-result.json").write_text(content)
    write(run(case("a")), tmp_path)
    (tmp_path / "x-result.json").unlink()
    assert set(read(tmp_path)) == {"a [gpu]"}


def test_place_that_cannot_be_written_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (told,) = allure.write_into(run(), tmp_path / "file", {})
    assert told.startswith("Allure's results were not completed: ")
