"""The stand-ins that `up` puts in and those that users are told of are the same."""

from tools.cluster.local import substitutions
from tools.standins import load_standins


def test_every_stand_in_is_told_of_and_nothing_else() -> None:
    assert substitutions.in_use() == set(load_standins())
