"""A verdict is never a bool."""

import json

import pytest

from tools.probe.verdict import Verdict


@pytest.mark.parametrize("verdict", Verdict)
def test_is_never_true_or_false(verdict: Verdict) -> None:
    with pytest.raises(TypeError, match=f"never true or false: {verdict.name}"):
        bool(verdict)
    with pytest.raises(TypeError):
        assert not verdict


def test_is_compared_and_counted() -> None:
    found = [Verdict.DROPPED, Verdict.ALLOWED, Verdict.DROPPED]
    assert found.count(Verdict.DROPPED) == 2
    assert {Verdict.DROPPED, Verdict.DROPPED} == {Verdict.DROPPED}
    assert Verdict.DROPPED in found


@pytest.mark.parametrize("verdict", Verdict)
def test_has_words_and_is_written_by_its_name(verdict: Verdict) -> None:
    assert verdict.words
    assert json.dumps(verdict) == f'"{verdict.name}"'
    assert f"{verdict}" == verdict.name
