"""A secret is used as text and not shown as such."""

from tools.secret import Secret


def test_is_used_as_text_and_shown_as_stars() -> None:
    token = Secret("abc")
    assert f"Bearer {token}" == "Bearer abc"
    assert "abc" not in repr({"Authorization": token, "all": [token]})
