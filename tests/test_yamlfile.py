"""YAML files of users: every refusal names file, line and column, and everything that is wrong at once."""

import hashlib
from pathlib import Path

import pytest
import yaml

from tools.errors import UserError
from tools.records import Problem
from tools.yamlfile import YamlFile, read_yaml

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "size": {"type": "integer"}, "on": {"type": "boolean"}},
}


def read(tmp_path: Path, text: str | bytes) -> YamlFile:
    path = tmp_path / "some.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path, "something")


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(UserError) as refused:
        read(tmp_path, text)
    return refused.value.observed.replace(f"{tmp_path}/", "")


def test_every_entry_has_its_place(tmp_path: Path) -> None:
    file = read(tmp_path, "# head\nlist:\n  - one\n  - {name: x}\nother:\n  inner: 1\n")
    places = {path: (place.line, place.column) for path, place in file.positions.items()}
    assert places == {
        (): (2, 1),
        ("list",): (2, 1),
        ("list", 0): (3, 5),
        ("list", 1): (4, 5),
        ("list", 1, "name"): (4, 6),
        ("other",): (5, 1),
        ("other", "inner"): (6, 3),
    }


def test_what_is_not_there_is_where_it_should_be(tmp_path: Path) -> None:
    file = read(tmp_path, "a:\n  b: 1\n")
    assert file.where(("a", "missing", "more")) == f"{tmp_path}/some.yaml:1:1"


def test_a_file_below_the_current_directory_is_named_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some.yaml").write_text("a: 1\n")
    monkeypatch.chdir(tmp_path)
    assert read_yaml(Path("some.yaml"), "something").where(("a",)) == "some.yaml:1:1"
    assert read_yaml(tmp_path / "some.yaml", "something").where(("a",)) == "some.yaml:1:1"


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 1\n").sha256 == hashlib.sha256(b"a: 1\n").hexdigest()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("2026-12-31", "2026-12-31"),
        ("12:30:45", "12:30:45"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0", 0),
        ("-7", -7),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
    ],
)
def test_values_are_those_of_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"key: {text}\n").value["key"]
    assert found == value
    assert type(found) is type(value)


def test_other_users_of_yaml_are_not_changed(tmp_path: Path) -> None:
    read(tmp_path, "a: off\n")
    assert yaml.safe_load("a: off") == {"a": False}


def test_byte_order_mark_and_anchors_are_allowed(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: &x [1]\nb: *x\n").value == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "observed"),
    [
        ("", "some.yaml is empty"),
        ("# only a comment\n", "some.yaml is empty"),
        ("a: [1\nb: 2\n", "some.yaml:2:2: not YAML: expected ',' or ']', but got ':'"),
        ("a: 1\n\tb: 2\n", "some.yaml:2:1: not YAML: found character '\\t' that cannot start any token"),
        ("a: 1\n---\nb: 2\n", "some.yaml:2:1: not YAML: but found another document"),
        ("a: *x\n", "some.yaml:1:4: not YAML: found undefined alias 'x'"),
        ("a: !!python/object:os.system x\n", "some.yaml:1:4: not YAML: could not determine a constructor for the tag"),
        ("a: 1\nb: \x07\n", "some.yaml:2:4: not YAML: it has a control character"),
        (b"a: 1\nbc: gr\xfcn\n", "some.yaml:2:7: not text in UTF-8 (byte 0xfc)"),
        ("\x00", "some.yaml:1:1: not YAML: it has a control character"),
        ("a:\n  b: 1\n  b: 2\n", "some.yaml:3:3: key 'b' for the second time; it is in line 2 already"),
        ("1: a\n", "some.yaml:1:1: a key that is not text; write it in quotes"),
        ("? [a]\n: b\n", "some.yaml:1:3: a key that is not text; write it in quotes"),
        ("a: &x [*x]\n", "some.yaml:1:4: contains itself"),
        ("[" * 5000, "some.yaml:1:1: not YAML: it is nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, text: str | bytes, observed: str) -> None:
    assert refusal(tmp_path, text).startswith(observed)


def test_all_repeated_keys_are_told(tmp_path: Path) -> None:
    found = refusal(tmp_path, "a: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert found.splitlines() == [
        "",
        "    - some.yaml:2:1: key 'a' for the second time; it is in line 1 already",
        "    - some.yaml:3:11: key 'c' for the second time; it is in line 3 already",
    ]


def test_no_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*nothing\.yaml"):
        read_yaml(tmp_path / "nothing.yaml", "something")
    with pytest.raises(UserError, match="is a directory, not a file"):
        read_yaml(tmp_path, "something")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be read: Not a directory"):
        read_yaml(tmp_path / "file" / "below.yaml", "something")


def test_everything_that_is_wrong_is_told_in_the_files_order(tmp_path: Path) -> None:
    file = read(tmp_path, "on: yes\nsize: many\nnam: x\n")
    with pytest.raises(UserError) as refused:
        file.check(SCHEMA, [Problem(("size",), "is not nice")], next_step="do better")
    assert refused.value.observed.replace(f"{tmp_path}/", "").splitlines() == [
        "",
        "    - some.yaml:1:1: 'name' is missing",
        "    - some.yaml:1:1: on: true or false is wanted, not the text yes",
        "    - some.yaml:2:1: size: a whole number is wanted, not the text many",
        "    - some.yaml:2:1: size: is not nice",
        "    - some.yaml:3:1: nam: no such key; did you mean name? Allowed are name, size, on",
    ]
    assert refused.value.next_step == "do better"


def test_a_list_in_place_of_a_mapping_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"some\.yaml:1:1: a mapping \(key: value\) is wanted, not a list"):
        read(tmp_path, "- a\n").check(SCHEMA)


def test_what_is_right_is_not_refused(tmp_path: Path) -> None:
    read(tmp_path, "name: off\nsize: 3\non: true\n").check(SCHEMA)
