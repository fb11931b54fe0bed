"""summary.html says everything that a decision needs, is complete in itself, and no text of others becomes markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tests.report_runs import PROFILES, STANDIN, case, of_every_outcome, run
from tools.outcomes import Level, Outcome
from tools.report import summary
from tools.report.record import Measure, RunRecord

VOID = {"meta", "link"}


class Page(HTMLParser):
    """A page read back: its text, its elements with attributes, and what is not closed properly.

    Args:
        html: of the page.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.trouble: list[str] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(html)
        self.close()
        self.trouble += [f"{each} is not closed" for each in self._open]
        self.text = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.trouble.append(f"{tag} is closed where it is not open")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "title"):
            self._texts.append(data)

    def names(self, *wanted: str) -> list[str]:
        """Elements of some kinds, in order."""
        return [name for name, _ in self.elements if name in wanted]


def page(record: RunRecord) -> Page:
    found = Page(summary.render(record))
    assert found.trouble == []
    return found


VERDICTS = [
    (run(), "RELEASABLE", "Yes."),
    (run(provider="local", standins=(STANDIN,), accelerator_real=False), "REHEARSAL", "Not by this run."),
    (run(case("a", Outcome.FAILED)), "NOT RELEASABLE", "No."),
    (run(case("a", Outcome.NOT_RUN), ended_by="the cluster never came up"), "INCONCLUSIVE", "It cannot be told."),
]


@pytest.mark.parametrize(("record", "verdict", "answer"), VERDICTS)
def test_verdict_is_the_heading_and_the_look(record: RunRecord, verdict: str, answer: str) -> None:
    found = page(record)
    assert f"May this go out? {verdict} {answer}" in found.text
    assert ("body", {"class": verdict.lower().replace(" ", "-")}) in found.elements


@pytest.mark.parametrize("verdict", ["releasable", "rehearsal", "not-releasable", "inconclusive"])
def test_every_verdict_has_a_look_of_its_own(verdict: str) -> None:
    assert re.search(rf"^\.{verdict} {{ --banner:", summary.render(run()), re.MULTILINE)


@pytest.mark.parametrize("record", [run(), of_every_outcome(), VERDICTS[3][0]])
def test_page_loads_and_runs_nothing(record: RunRecord) -> None:
    found = page(record)
    assert found.names("script", "img", "iframe", "object", "embed", "form", "base") == []
    hrefs = [attributes["href"] for _, attributes in found.elements if "href" in attributes]
    assert [each for each in hrefs if not each.startswith(("#", "./", "data:image/svg+xml,"))] == []
    assert "default-src 'none'" in summary.render(record)
    assert re.findall(r"url\(|@import", summary.render(record)) == []


@pytest.mark.parametrize("record", [run(), of_every_outcome()])
def test_headings_are_in_order_and_links_lead_somewhere(record: RunRecord) -> None:
    found = page(record)
    levels = [int(each[1]) for each in found.names("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    anchors = {attributes["href"] for _, attributes in found.elements if attributes.get("href", "").startswith("#")}
    assert {each.removeprefix("#") for each in anchors} <= ids


def test_failure_is_told_in_its_rows_and_its_command_can_be_copied() -> None:
    found = page(run(case("a", Outcome.FAILED, evidence=("evidence/a b.txt",))))
    assert "Expected every picker to know 2 ready pods Observed READY_PODS is 0, in picker-7d9" in found.text
    assert "Probable cause the picker may not list pods Next kubectl get pods" in found.text
    assert ("pre", {"class": "command", "tabindex": "0"}) in found.elements
    assert ("a", {"href": "./evidence/a%20b.txt"}) in found.elements


def test_failed_core_cases_come_first() -> None:
    cases = (
        case("late", Outcome.NOT_RUN, details="x"),
        case("minor", Outcome.FAILED, level=Level.EXTENDED),
        case("major", Outcome.FAILED, details="another"),
    )
    text = page(run(*cases)).text
    start = text.index("What failed, and why")
    places = [text.index(f"pool.{name}[gpu]", start) for name in ("major", "minor", "late")]
    assert places == sorted(places)


def test_cases_with_the_same_words_are_told_once() -> None:
    waiting = [case(f"case-{number}", Outcome.NOT_RUN, message="the service is not Ready") for number in range(40)]
    found = page(run(*waiting))
    assert "40 cases not run for one reason" in found.text
    assert found.names("article") == ["article"]
    assert "pool.case-39[gpu]" in found.text


def test_message_is_shown_where_there_are_no_rows() -> None:
    found = page(run(case("a", Outcome.BROKEN, message="OSError: no network", details="Traceback: a, b, c")))
    assert "OSError: no network Details Traceback: a, b, c" in found.text


def test_outcomes_are_words_for_each_area_and_accelerator() -> None:
    found = page(of_every_outcome())
    row = "pool 1 failed 1 known issue 1 broken 1 skipped 1 not supported 1 not run 1 passed"
    assert f"Area gpu tpu {row} {row.removeprefix('pool ')}" in found.text


def test_slowest_cases_come_first_and_only_slow_ones() -> None:
    found = page(run(case("quick", seconds=1.9), case("slow", seconds=12), case("slower", seconds=75)))
    assert "Case Outcome Took pool.slower[gpu] passed 1 min 15 s pool.slow[gpu] passed 12 s" in found.text
    assert "The slowest cases" not in page(run(case("quick", seconds=1.9))).text


def test_claims_tell_checked_from_unchecked() -> None:
    claims = {"sidecars": "every server has a sidecar", "strict-mtls": "plain text is refused", "deny": "all is denied"}
    cases = (
        case("a", checks=("sidecars", "deny")),
        case("b", Outcome.NOT_RUN, checks=("deny",)),
        case("c", Outcome.FAILED, checks=("strict-mtls",)),
    )
    text = page(run(*cases, claims=claims)).text
    assert "every server has a sidecar sidecars kept a" in text
    assert "plain text is refused strict-mtls not kept c failed" in text
    assert "all is denied deny checked in part b not run, a" in text
    assert "all is denied deny not checked no case checks it" in page(run(claims={"deny": "all is denied"})).text


def test_claim_of_one_profile_alone_is_told_so() -> None:
    profiles = (
        replace(PROFILES[0], claims={"accelerator": "one GPU each", "sidecars": "all have a sidecar"}),
        replace(PROFILES[1], claims={"accelerator": "one TPU each", "sidecars": "all have a sidecar"}),
    )
    cases = (case("a", checks=("accelerator",)), case("a", checks=("accelerator", "sidecars"), accelerator="tpu"))
    text = page(run(*cases, profiles=profiles, claims={"accelerator": "one TPU each"})).text
    assert "one GPU each accelerator kept a not claimed" in text
    assert "one TPU each accelerator not claimed kept a" in text
    assert "all have a sidecar sidecars not checked no case checks it kept a" in text
    assert "2 of 3 claims kept" in text


def test_many_cases_behind_a_claim_are_folded_but_for_the_bad_ones() -> None:
    cases = [case(f"case-{number}", checks=("deny",)) for number in range(5)]
    broken = case("bad", Outcome.BROKEN, checks=("deny",))
    text = page(run(*cases, broken, claims={"deny": "all is denied"})).text
    assert "checked in part bad broken 5 cases passed case-0, case-1" in text


def test_early_end_comes_first_with_what_to_do() -> None:
    told = "expected:       a cluster\nobserved:       none\nnext:           make stack"
    text = page(run(case("a", Outcome.NOT_RUN), ended_by="the cluster never came up", ended_text=told)).text
    assert (
        "The run ended early ended early the cluster never came up Expected a cluster Observed none Next make stack"
        in text
    )
    assert text.index("The run ended early ended early") < text.index("What gave no answer")


def test_reason_that_is_the_whole_text_is_told_once() -> None:
    reason = "not run, because the service is not Ready: no route"
    text = page(run(case("a", Outcome.NOT_RUN, message=reason[:30], details=reason))).text
    start = text.index("What gave no answer")
    assert text[start : text.index("Results by area", start)].count("the service is not Ready: no route") == 1


def test_numbers_tell_what_is_over_budget() -> None:
    measures = (Measure("time to first token", 2.0, 10.0), Measure("time until ready", 12.5, 10.0, "of two"))
    text = page(run(case("a", measures=measures))).text
    assert "time until ready pool.a[gpu] 12.50 s, of two 10 s over budget" in text
    assert "time to first token pool.a[gpu] 2.00 s 10 s 20%" in text
    assert text.index("time until ready") < text.index("time to first token")


def test_budget_of_nothing_is_no_crash() -> None:
    text = page(run(case("a", measures=(Measure("lost", 0.0, 0.0), Measure("more", 1.0, 0.0))))).text
    assert "more pool.a[gpu] 1.00 s 0 s over budget" in text


def test_what_the_run_rests_on_is_there() -> None:
    text = page(of_every_outcome()).text
    for words in (
        "inference-pool-v1 present v1 is served CRD inferencepools",
        "telemetry absent",
        "network-policy could not be told",
        "a device plugin accelerators T4 GPUs drivers and CUDA that anything computes",
        "kserve 0.19.0 >=0.19,<0.20",
        "example.com/picker@sha256:",
        "namespace llmisvc-1-gpu is still there",
        "3 of 4 cases were seen to pass, to fail with the expected words",
        "pytest -m gpu --cluster existing --context prod",
        "minimum executed 1",
    ):
        assert words in text


def test_what_is_not_there_leaves_no_empty_part() -> None:
    found = page(run(versions={}, images={}, features=(), profiles=(), claims={}))
    anchors = [attributes["href"] for _, attributes in found.elements if attributes.get("href", "").startswith("#")]
    assert {"#areas", "#proof", "#cases", "#reproduce"} == {each for each in anchors if not each.startswith("#i-")}


def test_run_without_any_case_has_a_page() -> None:
    found = page(run(cases=(), ended_by="the cluster never came up"))
    assert "INCONCLUSIVE" in found.text
    assert "the cluster never came up" in found.text
