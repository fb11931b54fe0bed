"""conformance-report.yaml has the shape of the Gateway API's report, and what did not run never counts as passed."""

from typing import Any

import jsonschema
import pytest
import yaml

from tests.report_runs import case, of_every_outcome, run
from tools.outcomes import Level, Outcome
from tools.report import conformance
from tools.report.record import RunRecord

SCHEMA = yaml.safe_load(conformance.SCHEMA.read_text())
UNANSWERED = [each for each in Outcome if each not in (Outcome.PASSED, Outcome.FAILED)]


def written(record: RunRecord) -> Any:
    """The report as its reader has it, after it was held against the schema."""
    found = yaml.safe_load(conformance.render(record))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_outcome_and_fact_fits_the_schema() -> None:
    found = written(of_every_outcome())
    assert [each["name"] for each in found["profiles"]] == ["local-gpu", "local-tpu"]
    assert found["kind"] == "ConformanceReport"
    assert found["gatewayAPIVersion"] == "1.6.0"
    extension = found["llmisvcConformance"]
    assert extension["verdict"] == "NOT RELEASABLE"
    assert extension["standIns"][0]["cannotShow"] == ["drivers and CUDA", "that anything computes"]
    assert extension["proof"] == {"proven": 3, "selected": 4, "cases": 12}
    assert extension["reproduce"].startswith("pytest -m gpu")


def test_green_run_is_a_success() -> None:
    core = written(run(case("a"), case("b")))["profiles"][0]["core"]
    assert core == {"result": "success", "statistics": {"Passed": 2, "Failed": 0, "Skipped": 0}}


@pytest.mark.parametrize("outcome", UNANSWERED)
def test_what_gave_no_answer_is_neither_passed_nor_failed_and_has_its_reason(outcome: Outcome) -> None:
    profile = written(run(case("a"), case("b", outcome)))["profiles"][0]
    assert profile["core"] == {
        "result": "partial",
        "statistics": {"Passed": 1, "Failed": 0, "Skipped": 1},
        "skippedTests": ["pool.b[gpu]"],
    }
    assert profile["llmisvcConformance"]["notPassed"] == [
        {
            "name": "pool.b[gpu]",
            "level": "core",
            "outcome": str(outcome),
            "reason": f"{outcome}: the picker knows no pod",
        }
    ]


def test_no_reason_is_told_as_none() -> None:
    profile = written(run(case("a", Outcome.SKIPPED, message="")))["profiles"][0]
    assert "no reason was recorded" in profile["llmisvcConformance"]["notPassed"][0]["reason"]


def test_failure_is_listed_and_wins() -> None:
    core = written(run(case("a"), case("b", Outcome.FAILED), case("c", Outcome.NOT_RUN)))["profiles"][0]["core"]
    assert core["result"] == "failure"
    assert core["failedTests"] == ["pool.b[gpu]"]


def test_no_case_is_no_success() -> None:
    profile = written(run(case("a")))["profiles"][0]
    assert profile["extended"]["result"] == "partial"
    assert profile["extended"]["statistics"] == {"Passed": 0, "Failed": 0, "Skipped": 0}


def test_levels_and_accelerators_are_counted_apart() -> None:
    cases = (case("a"), case("a", accelerator="tpu"), case("b", Outcome.FAILED, level=Level.EXTENDED))
    gpu, tpu = written(run(*cases))["profiles"]
    assert (gpu["core"]["result"], gpu["extended"]["result"]) == ("success", "failure")
    assert (tpu["name"], tpu["core"]["result"]) == ("tpu", "success")


def test_features_that_could_not_be_told_are_in_neither_list() -> None:
    extended = written(of_every_outcome())["profiles"][0]["extended"]
    assert extended["supportedFeatures"] == ["inference-pool-v1"]
    assert extended["unsupportedFeatures"] == ["telemetry"]


def test_cluster_that_never_came_up_has_a_report() -> None:
    found = written(run(case("a", Outcome.NOT_RUN), ended_by="the cluster never came up", versions={}, features=()))
    assert found["gatewayAPIVersion"] == "unknown"
    assert found["llmisvcConformance"]["verdict"] == "INCONCLUSIVE"
