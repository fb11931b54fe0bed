"""docs/reports.md says what is written, and names nothing that is not there."""

import re
from importlib.util import find_spec

from tools.cases import proving
from tools.outcomes import Outcome
from tools.paths import CHECKOUT
from tools.report import render_allure
from tools.report.finished import SIGNOFF
from tools.report.write import REPORTS
from tools.standins import STANDINS

TEXT = (CHECKOUT / "docs" / "reports.md").read_text()
LISTED = re.findall(r"^\| `([\w.-]+)` \|", TEXT, re.MULTILINE)
OTHERS = {render_allure.RESULTS, render_allure.REPORT, STANDINS.name, SIGNOFF, proving.FILE, "evidence"}


def test_every_file_of_a_run_is_listed_once() -> None:
    assert sorted(LISTED) == sorted({*REPORTS, *OTHERS})


def test_every_outcome_is_explained() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| .* \| (?:nothing|`\w+`) \| \w+ \|$", TEXT, re.MULTILINE)
    assert rows == [str(each) for each in Outcome]


def test_links_commands_and_targets_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert links
    assert [each for each in links if not (CHECKOUT / "docs" / each).exists()] == []
    modules = re.findall(r"python -m ([\w.]+)", TEXT)
    assert modules
    assert [each for each in modules if find_spec(each) is None] == []
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", TEXT)) <= targets
