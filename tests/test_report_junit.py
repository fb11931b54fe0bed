"""junit.xml tells CI failures from errors and from what did not run."""

from xml.etree import ElementTree as etree

import pytest

from tests.report_runs import FAILURE, case, of_every_outcome, run
from tools.outcomes import Outcome
from tools.report import junit
from tools.report.record import Measure, RunRecord


def written(record: RunRecord) -> etree.Element:
    return etree.fromstring(junit.render(record))


def test_each_accelerator_is_a_suite_with_its_counts() -> None:
    root = written(of_every_outcome(trouble=()))
    assert [each.attrib["name"] for each in root] == ["gpu", "tpu"]
    for each in root:
        counts = {name: each.attrib[name] for name in ("tests", "failures", "errors", "skipped", "time")}
        assert counts == {"tests": "7", "failures": "1", "errors": "1", "skipped": "4", "time": "8.750"}
    assert root.attrib["tests"] == "14"


def test_suite_says_run_profile_and_verdict() -> None:
    properties = {
        each.attrib["name"]: each.attrib["value"] for each in written(run()).iterfind("testsuite/properties/")
    }
    assert properties["run"] == "1124-090000-a1"
    assert properties["profile"] == "local-gpu"
    assert properties["verdict"] == "RELEASABLE"


def test_name_is_stable() -> None:
    element = written(run(case("a"))).find("testsuite/testcase")
    assert element is not None
    assert f"{element.attrib['classname']}.{element.attrib['name']}" == "pool.a[gpu]"
    assert element.attrib["file"] == "suites/pool/test_pool.py"
    assert element.attrib["line"] == "22"


@pytest.mark.parametrize(
    ("outcome", "tag"),
    [
        (Outcome.FAILED, "failure"),
        (Outcome.BROKEN, "error"),
        (Outcome.KNOWN_ISSUE, "skipped"),
        (Outcome.SKIPPED, "skipped"),
        (Outcome.NOT_SUPPORTED, "skipped"),
        (Outcome.NOT_RUN, "skipped"),
    ],
)
def test_outcome_has_its_element_with_the_reason(outcome: Outcome, tag: str) -> None:
    element = written(run(case("a", outcome))).find(f"testsuite/testcase/{tag}")
    assert element is not None
    assert element.attrib["message"] == f"{outcome}: the picker knows no pod"


def test_skipped_says_which_kind_it_is_once() -> None:
    element = written(run(case("a", Outcome.NOT_SUPPORTED, message="need a mesh"))).find(".//skipped")
    assert element is not None
    assert element.attrib["message"] == "not supported: need a mesh"


def test_failure_has_the_whole_text() -> None:
    element = written(run(case("a", Outcome.FAILED))).find(".//failure")
    assert element is not None
    assert element.text == FAILURE


def test_passed_case_has_no_verdict_element() -> None:
    element = written(run(case("a", measures=(Measure("time", 1.0, 2.0),)))).find("testsuite/testcase")
    assert element is not None
    assert [each.tag for each in element] == ["properties"]


def test_run_that_ended_early_is_an_error_beside_its_passed_cases() -> None:
    root = written(run(case("a"), ended_by="interrupted by a signal", trouble=("a namespace is left",)))
    assert root.attrib["errors"] == "1"
    element = root.find("testsuite[@name='run']/testcase/error")
    assert element is not None
    assert element.attrib["message"] == "interrupted by a signal"
    assert root.findtext(".//system-err") == "a namespace is left"


def test_trouble_alone_is_told_and_no_error() -> None:
    root = written(run(trouble=("evidence is incomplete",)))
    assert root.attrib["errors"] == "0"
    assert root.findtext(".//system-err") == "evidence is incomplete"
