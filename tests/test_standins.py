"""The list of stand-ins is complete, and its loader refuses what is not such a list."""

import re
from pathlib import Path

import pytest
import yaml

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.standins import load_standins


def test_every_place_exists() -> None:
    places = {(each.id, place) for each in load_standins().values() for place in each.put_in}
    assert {(name, place) for name, place in places if not (CHECKOUT / place).exists()} == set()


def test_every_stand_in_that_a_manifest_names_is_listed() -> None:
    named = {
        name
        for path in (CHECKOUT / "manifests").rglob("*.yaml")
        for name in re.findall(r"[Ss]tand-in `([a-z-]+)`|stand-in: ([a-z-]+)", path.read_text())
        for name in name
        if name
    }
    assert {"model-server", "model-hub", "envoy-upstream", "secrets", "one-chip-node"} <= named
    assert named - set(load_standins()) == set()


def test_order_and_texts_are_the_files(tmp_path: Path) -> None:
    path = tmp_path / "standins.yaml"
    path.write_text(yaml.safe_dump([entry("b-two"), entry("a-one")]))
    found = load_standins(path)
    assert list(found) == ["b-two", "a-one"]
    assert found["b-two"].cannot_show == ("that it rains",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"cannot_show": []}, "cannot_show"),
        ({"cannot_shwo": ["x"]}, "did you mean cannot_show"),
        ({"id": "No Such"}, "id"),
    ],
)
def test_what_is_not_a_stand_in_is_refused(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    path = tmp_path / "standins.yaml"
    path.write_text(yaml.safe_dump([entry("one") | change]))
    with pytest.raises(UserError, match=expected):
        load_standins(path)


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "standins.yaml"
    path.write_text(yaml.safe_dump([entry("one"), entry("one")]))
    with pytest.raises(UserError, match="twice"):
        load_standins(path)


def entry(name: str) -> dict[str, object]:
    return {
        "id": name,
        "what": "a hose",
        "in_place_of": "rain",
        "cannot_show": ["that it rains"],
        "put_in": ["manifests"],
    }
