"""`junit.xml`: what CI systems show of a run.

A suite for each accelerator; a case that gave no answer is an error or skipped, never a success. What ended the run
early is an error of its own, so that a run cut short is not green because the cases before that passed.
"""

from collections.abc import Mapping
from xml.etree import ElementTree as etree

from tools.outcomes import Outcome
from tools.report.record import CaseRecord, RunRecord
from tools.report.tally import accelerators, bare_reason, reason
from tools.report.text import clean, one_line
from tools.report.verdict import FINISHED, judge

NAME = "llmisvc-conformance"


def render(record: RunRecord) -> str:
    """The run as JUnit's XML."""
    root = etree.Element("testsuites", _attributes({"name": NAME}))
    for accelerator in accelerators(record):
        cases = [each for each in record.cases if each.accelerator == accelerator]
        profile = next((each.name for each in record.profiles if each.accelerator == accelerator), "")
        suite = _suite(root, record, accelerator, profile)
        for each in cases:
            _case(suite, each)
    if record.ended_by != FINISHED or record.trouble:
        _run(_suite(root, record, "run", ""), record)
    for suite in root:
        suite.attrib |= _counts(suite)
    root.attrib |= _counts(root)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: etree.Element, record: RunRecord, name: str, profile: str) -> etree.Element:
    suite = etree.SubElement(root, "testsuite", _attributes({"name": name, "timestamp": record.started}))
    facts = {"run": record.run, "profile": profile, "verdict": str(judge(record).verdict)}
    _properties(suite, facts | {"reproduce": record.command})
    return suite


def _case(suite: etree.Element, case: CaseRecord) -> None:
    # Most readers show classname and name with a dot between them: area.case[accelerator].
    names = {"classname": case.area, "name": f"{case.name}[{case.accelerator}]"}
    place = {"file": case.nodeid.partition("::")[0]} | ({"line": str(case.line)} if case.line else {})
    element = etree.SubElement(suite, "testcase", _attributes(names | place | {"time": f"{case.seconds:.3f}"}))
    numbers = {each.what: f"{each.seconds:.3f} s of {each.budget:g} s {each.note}".strip() for each in case.measures}
    _properties(element, {"level": str(case.level), "promise": case.promise} | numbers)
    match case.outcome:
        case Outcome.PASSED:
            return
        case Outcome.FAILED:
            told = etree.SubElement(element, "failure", _attributes({"message": one_line(reason(case))}))
        case Outcome.BROKEN:
            told = etree.SubElement(element, "error", _attributes({"message": one_line(reason(case))}))
        case _:
            message = one_line(f"{case.outcome}: {bare_reason(case)}")
            told = etree.SubElement(element, "skipped", _attributes({"message": message}))
    told.text = clean(case.details)


def _run(suite: etree.Element, record: RunRecord) -> None:
    """The run itself as a case."""
    element = etree.SubElement(suite, "testcase", _attributes({"classname": "run", "name": FINISHED, "time": "0.000"}))
    if record.ended_by != FINISHED:
        told = etree.SubElement(element, "error", _attributes({"message": one_line(record.ended_by)}))
        told.text = clean(record.ended_text or record.ended_by)
    if record.trouble:
        etree.SubElement(element, "system-err").text = clean("\n".join(record.trouble))


def _properties(parent: etree.Element, values: Mapping[str, str]) -> None:
    block = etree.SubElement(parent, "properties")
    for name, value in values.items():
        etree.SubElement(block, "property", _attributes({"name": name, "value": value}))


def _counts(element: etree.Element) -> dict[str, str]:
    cases = list(element.iter("testcase"))
    found = {"tests": len(cases)}
    found |= {
        plural: sum(each.find(tag) is not None for each in cases)
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    seconds = sum(float(each.get("time", "0")) for each in cases)
    return {name: str(number) for name, number in found.items()} | {"time": f"{seconds:.3f}"}


def _attributes(values: Mapping[str, str]) -> dict[str, str]:
    return {name: clean(value) for name, value in values.items()}
