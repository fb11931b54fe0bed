"""Whatever pods, models and controllers say, every report stays well-formed, readable and of a bounded size."""

import json
from xml.etree import ElementTree as etree

import jsonschema
import pytest
import yaml

from tests.report_runs import case, run
from tests.test_report_summary import page
from tools.outcomes import Outcome
from tools.report import conformance, junit, summary
from tools.report.record import FeatureRecord, RunRecord, load
from tools.report.text import clean, clipped, one_line
from tools.report.write import as_json

HOSTILE = {
    "markup": "</script></style></title><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'",
    "terminal": "\x1b[31mred\x1b[0m \x1b]8;;http://example.com\x07link\x1b]8;;\x1b\\ \x1b(B",
    "controls": "nul\x00 bell\x07 tab\t line\r\nline\rline\x85 \x9b31m ￾ \u202eevil\u2066",
    "unicode": "模型 🚀 é ẞ \u200b",
    "surrogate": "half \ud83d a character",
    "templates": "$style ${body} {{ body }} %s {0} ]]> --> <!--",
    "yaml": "- a: b\n  ? !!python/object [*x] # 'no' \"yes\" |\n...\n---",
}


def everywhere(text: str) -> RunRecord:
    """A run that has the text in every place that is not the suite's own."""
    return run(
        case("a", Outcome.FAILED, message=text, details=text, promise=text, evidence=(text,)),
        case("b", Outcome.NOT_SUPPORTED, message=text),
        case("c", Outcome.BROKEN, message=text, details=f"observed: {text}\n\n{text}"),
        context=text,
        trouble=(text,),
        ended_by=text,
        command=text,
        claims={"a-claim": text},
        versions={"kserve": text, text: text},
        images={text: text},
        features=(FeatureRecord("a-feature", None, text, text),),
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_reports_stay_well_formed(text: str) -> None:
    record = everywhere(text)
    found = page(record)
    assert found.names("script", "img") == []
    root = etree.fromstring(junit.render(record))
    assert [each.text for each in root.iterfind(".//failure")] == [clean(text)]
    schema = yaml.safe_load(conformance.SCHEMA.read_text())
    jsonschema.validate(yaml.safe_load(conformance.render(record)), schema)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_record_keeps_every_character(text: str) -> None:
    record = everywhere(text)
    stored = as_json(record).encode("utf-8", "backslashreplace")
    assert load(json.loads(stored)) == record


@pytest.mark.parametrize("path", ["javascript:alert(1)", "//example.com/x", "http://example.com", "/etc/passwd"])
def test_evidence_links_lead_nowhere_else(path: str) -> None:
    found = page(run(case("a", Outcome.FAILED, evidence=(path,))))
    hrefs = [attributes["href"] for name, attributes in found.elements if name == "a"]
    assert [each for each in hrefs if not each.startswith(("#", "./"))] == []
    assert "./javascript:" not in " ".join(hrefs)


def test_long_texts_are_cut_in_the_middle_on_the_page_and_whole_in_junit() -> None:
    text = "\n".join(f"line {number}" for number in range(20_000))
    record = run(case("a", Outcome.BROKEN, details=text))
    html = summary.render(record)
    assert len(html) < 120_000
    assert "line 19999" in html
    assert "the whole text is in junit.xml" in html
    assert "line 15000\n" in junit.render(record)


def test_clean_takes_colours_away_and_replaces_what_cannot_be_shown() -> None:
    assert clean(HOSTILE["terminal"]) == "red link "
    assert clean("a\x00b\ud83dc\r\nd") == "a�b�c\nd"


def test_one_line_is_short_and_one_line() -> None:
    assert one_line(" a\n b\t c ") == "a b c"
    assert one_line("x" * 400, 10) == "x" * 9 + "…"


def test_clipped_leaves_short_text_alone() -> None:
    assert clipped("short", 5, "x") == "short"
