"""A failure's text is taken apart into the rows from which it was made."""

import pytest

from tools.errors import UserError
from tools.explain import Violation, bullets
from tools.report.explanation import Explanation, take_apart


@pytest.mark.parametrize("cause", ["", "a cause\nof two lines"])
def test_rows_of_a_violation(cause: str) -> None:
    observed = bullets(["one finding", "another\n\nwith an empty line"])
    text = str(Violation("a thing", observed, cause=cause, next_step="kubectl get pods", details="more\n\nexpected: x"))
    assert take_apart(text) == Explanation(
        "a thing", observed.strip(), cause, "kubectl get pods", "more\n\nexpected: x"
    )


def test_rows_of_a_users_mistake() -> None:
    text = str(UserError("a file", "in x.yaml:\n    - line 3", next_step="see schema.yaml"))
    assert take_apart(text) == Explanation("a file", "in x.yaml:\n    - line 3", "", "see schema.yaml", "")


def test_other_text_is_left_whole() -> None:
    text = "OSError: no network\n  at line 3"
    assert take_apart(text) == Explanation(rest=text)


def test_nothing() -> None:
    assert take_apart("") == Explanation()
