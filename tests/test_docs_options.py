"""docs/options.md says what the options are."""

from fixtures.options_page import page
from tools.paths import CHECKOUT


def test_page_is_made_of_the_options() -> None:
    next_step = "python -m fixtures.options_page > docs/options.md"
    assert (CHECKOUT / "docs" / "options.md").read_text() == page(), next_step
