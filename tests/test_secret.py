"""A secret is used as text and not shown as such."""

from tools.secret import Secret, forms


def test_is_used_as_text_and_shown_as_stars() -> None:
    token = Secret("abc")
    assert f"Bearer {token}" == "Bearer abc"
    assert "abc" not in repr({"Authorization": token, "all": [token]})


def test_forms_hold_the_value_and_nothing_short() -> None:
    found = forms("p@ss/word")
    assert {"p@ss/word", "p%40ss%2Fword", "p%40ss%2fword", "cEBzcy93b3Jk"} <= found
    assert min(len(each) for each in found) >= len("p@ss/word")


def test_long_lines_of_a_secret_are_forms_of_it() -> None:
    assert "a-line-that-is-long" in forms("a-line-that-is-long\nshort")
    assert "short" not in forms("a-line-that-is-long\nshort")
