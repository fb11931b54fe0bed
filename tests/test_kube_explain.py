"""The text of a broken promise."""

import pytest

from tools.explain import Violation, bullets, check


def test_rows_are_aligned_and_empty_ones_left_out() -> None:
    text = str(Violation("a pod", "none", next_step="kubectl get pods"))
    assert text == "expected:       a pod\nobserved:       none\nnext:           kubectl get pods"


def test_several_lines_keep_their_column() -> None:
    text = str(Violation("this", bullets(["one", "two"]), cause="that", details="curl"))
    assert "observed:       \n                - one\n                - two\nprobable cause: that" in text
    assert text.endswith("\n\ncurl")


def test_check_raises_only_what_is_not_so() -> None:
    check(True, "this", "that")
    with pytest.raises(AssertionError, match="expected"):
        check(False, "this", "that")
