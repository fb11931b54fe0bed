"""Budgets: one place, one override each, and a page of the documentation that is kept true."""

import pickle
import re
from collections.abc import Iterator

import pytest

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.waiting import timeouts


@pytest.fixture(autouse=True)
def _as_in_the_table() -> Iterator[None]:
    before = timeouts.overridden()
    timeouts.override({})
    yield
    timeouts.override(before)


def test_budget_is_seconds_with_a_name() -> None:
    budget = timeouts.seconds("answers")
    assert (budget, budget.name) == (30.0, "answers")
    assert f"{budget:.0f}" == "30"


def test_budget_reaches_another_process_with_its_name() -> None:
    sent = pickle.loads(pickle.dumps(timeouts.seconds("answers")))
    assert (sent, sent.name) == (30.0, "answers")


def test_override_changes_one() -> None:
    timeouts.override({"answers": 90})
    assert timeouts.seconds("answers") == 90.0
    assert timeouts.seconds("service-ready") == 120.0
    assert timeouts.overridden() == {"answers": 90}


def test_later_override_takes_back_the_earlier_one() -> None:
    timeouts.override({"answers": 90})
    timeouts.override({"probe": 1})
    assert timeouts.overridden() == {"probe": 1}


def test_options_are_read() -> None:
    assert timeouts.parse(["answers=90", "probe=0.5", "answers=91"]) == {"answers": 91.0, "probe": 0.5}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("answer=3", ["no timeout is called 'answer'", "did you mean answers?"]),
        ("zzz=3", ["no timeout is called 'zzz'", "known: service-ready, "]),
        ("answers", ["--timeout NAME=SECONDS", "--timeout answers=60"]),
        ("nonsense", ["--timeout NAME=SECONDS", "--timeout service-ready=240"]),
        ("answers=soon", ["a number of seconds", "'soon'"]),
        ("answers=0", ["a positive number of seconds"]),
        ("answers=-3", ["a positive number of seconds"]),
        ("answers=nan", ["a positive number of seconds"]),
        ("answers=inf", ["a positive number of seconds"]),
    ],
)
def test_mistakes_are_the_users(option: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        timeouts.parse([option])
    assert [word for word in words if word not in str(caught.value)] == []


def test_override_of_nothing_known_changes_nothing() -> None:
    timeouts.override({"probe": 1})
    with pytest.raises(UserError):
        timeouts.override({"answers": 3, "answer": 3})
    assert timeouts.overridden() == {"probe": 1}


def test_name_that_is_not_there_is_our_bug() -> None:
    with pytest.raises(KeyError):
        timeouts.seconds("no-such")


def test_names_are_unique_and_all_is_explained() -> None:
    names = [each.name for each in timeouts.TIMEOUTS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)
    assert all(each.what and each.why and each.seconds > 0 for each in timeouts.TIMEOUTS)


def test_documentation_has_the_table() -> None:
    page = (CHECKOUT / "docs" / "timeouts.md").read_text()
    assert timeouts.table() in page, "put the output of tools.waiting.timeouts.table() into docs/timeouts.md"
