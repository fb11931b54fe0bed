"""The job summary and the annotations of a run in CI say what the page says, and no text breaks out of them."""

import json
import re
from pathlib import Path

import pytest

from tests.report_runs import STANDIN, case, of_every_outcome, run
from tools.outcomes import Outcome
from tools.report import markdown
from tools.report.record import dump


def test_summary_has_verdict_reasons_table_and_failures() -> None:
    text = markdown.render(of_every_outcome())
    assert text.startswith("## ❌ NOT RELEASABLE: local-gpu, local-tpu\n")
    assert "| Area | gpu | tpu |\n| --- | --- | --- |\n| pool | 1 passed, 1 failed, 1 known issue, 1 broken" in text
    assert "- **Probable cause:** the picker may not list pods" in text
    assert "```sh\n  kubectl get pods --show-labels -n llmisvc-1-gpu\n  ```" in text
    assert "3 of 4 cases proven able to fail" in text
    assert "with changes" not in text


def test_rehearsal_names_its_stand_ins() -> None:
    text = markdown.render(run(provider="local", standins=(STANDIN,), accelerator_real=False))
    assert text.startswith("## 🚧 REHEARSAL")
    assert "Stand\\-ins" not in text
    assert "which show nothing about the real things: accelerators" in text


def test_what_is_left_out_on_purpose_is_no_failure() -> None:
    text = markdown.render(run(case("a"), case("b", Outcome.NOT_SUPPORTED)))
    assert "###" not in text
    assert markdown.annotations(run(case("b", Outcome.SKIPPED), case("c", Outcome.NOT_SUPPORTED))) == []


def test_many_failures_are_cut_and_told() -> None:
    text = markdown.render(run(*(case(f"case-{number}", Outcome.FAILED, message=str(number)) for number in range(40))))
    assert text.count("\n### ") == 30
    assert "… and 10 more reasons: see summary.html" in text


def test_early_end_is_told_with_what_to_do() -> None:
    record = run(
        case("a", Outcome.NOT_RUN), ended_by="no cluster", ended_text="expected:       one\nnext:           make stack"
    )
    text = markdown.render(record)
    assert "### The run ended early: no cluster" in text
    assert "make stack" in text
    assert markdown.annotations(record)[0] == "::error title=Run ended early::no cluster"


def test_annotation_is_at_the_case_and_on_one_line() -> None:
    (line,) = markdown.annotations(run(case("a", Outcome.FAILED, message="100 %: no")))
    head, _, data = line.removeprefix("::").partition("::")
    assert head == "error file=suites/pool/test_pool.py,line=22,title=pool.a[gpu]"
    assert data.startswith(
        "failed: 100 %25: no%0Aprobable cause: the picker may not list pods%0Anext: kubectl get pods"
    )
    assert "\n" not in line


def test_one_annotation_for_one_reason() -> None:
    lines = markdown.annotations(run(case("a", Outcome.NOT_RUN), case("b", Outcome.NOT_RUN)))
    assert len(lines) == 1
    assert lines[0].startswith("::warning file=suites/pool/test_pool.py,line=22,title=pool.a[gpu] and 1 more::")


@pytest.mark.parametrize(
    "text", ["::error::x\n::set-env name=A::b", "a,b:c%0Ad", "<script>|`*_[x](http://e)\n# no\x1b[31m"]
)
def test_hostile_text_stays_text(text: str) -> None:
    record = run(case("a", Outcome.FAILED, message=text, details=f"observed: {text}", promise=text), ended_by=text)
    told = markdown.render(record)
    assert re.findall(r"(?<!\\)<script|(?<!\\)\[x\]|^# no", told, re.MULTILINE) == []
    assert "\x1b" not in told
    for line in markdown.annotations(record):
        assert line.startswith("::error ")
        assert "\n" not in line
        # A command begins a line; what is within one is data.
        assert "," not in line.partition("title=")[2].partition("::")[0]


def test_code_cannot_end_its_fence() -> None:
    details = "expected:       x\nnext:           echo ```\n                ````"
    text = markdown.render(run(case("a", Outcome.FAILED, details=details)))
    assert "`````sh\n  echo ```\n  ````\n  `````" in text


def test_command_prints_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.json").write_text(json.dumps(dump(run(case("a", Outcome.FAILED)))))
    assert markdown.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("## ❌")
    assert markdown.main(["--annotations", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("::error ")


def test_what_is_no_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert markdown.main([str(tmp_path)]) == 2
    assert "run.json" in capsys.readouterr().err
