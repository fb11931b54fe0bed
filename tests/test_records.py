"""Violations of a schema in the user's terms, and defaults out of it."""

from typing import Any

import pytest

from tools.records import filled, nearest, problems, said


def told(value: Any, schema: dict[str, Any]) -> list[str]:
    return [str(each) for each in problems({"key": value}, {"properties": {"key": schema}})]


@pytest.mark.parametrize(
    ("value", "schema", "text"),
    [
        (1.31, {"type": "string"}, "key: text is wanted, not the number 1.31 (for text, write it in quotes)"),
        (True, {"type": "string"}, "key: text is wanted, not true (for text, write it in quotes)"),
        (None, {"type": "object"}, "key: a mapping (key: value) is wanted, not nothing"),
        ({}, {"type": ["number", "null"]}, "key: a number or nothing is wanted, not a mapping"),
        ([], {"type": "boolean"}, "key: true or false is wanted, not a list"),
        ("", {"type": "integer"}, 'key: a whole number is wanted, not the text ""'),
        ("gpus", {"enum": ["gpu", "tpu"]}, "key: gpus is none of gpu, tpu; did you mean gpu?"),
        (7, {"enum": ["gpu", "tpu"]}, "key: 7 is none of gpu, tpu"),
        ("A", {"pattern": "^a$", "examples": ["a"]}, "key: A is not of the form that is wanted: for example a"),
        ("A", {"pattern": "^a$"}, "key: A is not of the form that is wanted: pattern ^a$"),
        ("2026-02-30", {"format": "date", "examples": ["2026-02-28"]}, "key: 2026-02-30 is not a date, for example"),
        (0, {"minimum": 1}, "key: 0 is less than the minimum of 1"),
        ([], {"minItems": 1}, "key: [] should be non-empty"),
    ],
)
def test_a_violation_says_what_is_wanted(value: Any, schema: dict[str, Any], text: str) -> None:
    (found,) = told(value, schema)
    assert found.startswith(text)


def test_each_missing_and_each_unknown_key_is_told() -> None:
    schema = {"properties": {"left": {}, "right": {}}, "required": ["left", "right"], "additionalProperties": False}
    assert sorted(told({"lefft": 1, "zzz": 2}, schema)) == [
        "key.lefft: no such key; did you mean left? Allowed are left, right",
        "key.zzz: no such key. Allowed are left, right",
        "key: 'left' is missing",
        "key: 'right' is missing",
    ]


def test_places_in_lists_are_told() -> None:
    (found,) = problems([{"a": 1}, {"a": "x"}], {"items": {"properties": {"a": {"type": "integer"}}}})
    assert str(found) == "[1].a: a whole number is wanted, not the text x"


def test_paths_are_as_a_person_writes_them() -> None:
    assert said(("a", "b", 0, "c")) == "a.b[0].c"
    assert said(()) == ""


def test_a_name_that_is_close_to_nothing_has_no_suggestion() -> None:
    assert nearest("local-gp", ["local-gpu", "gke-t4"]) == "; did you mean local-gpu?"
    assert nearest("xyz", ["local-gpu", "gke-t4"]) == ""


def test_unsaid_keys_have_the_schemas_defaults() -> None:
    schema = {
        "properties": {
            "said": {"default": 1},
            "unsaid": {"default": 2},
            "section": {"default": {}, "properties": {"inner": {"default": [3]}}},
            "optional": {"properties": {"inner": {"default": 4}}},
        }
    }
    value = {"said": 0}
    assert filled(value, schema) == {"said": 0, "unsaid": 2, "section": {"inner": [3]}}
    assert filled({"optional": {}}, schema)["optional"] == {"inner": 4}
    assert value == {"said": 0}
