"""docs/cases.md says what the cases are."""

from tools.cases.index import all_cases
from tools.cases.page import page
from tools.paths import CHECKOUT


def test_page_is_made_of_the_cases() -> None:
    next_step = "python -m tools.cases > docs/cases.md"
    assert (CHECKOUT / "docs" / "cases.md").read_text() == page(all_cases()), next_step
