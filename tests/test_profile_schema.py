"""Schema, data classes, documentation and shipped profiles say the same."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import jsonschema
import pytest
import yaml

from tools.paths import CHECKOUT
from tools.profile import PROFILES, Profile, load_profile, profile_names
from tools.profile.load import schema
from tools.profile.page import page
from tools.records import problems
from tools.yamlfile import read_yaml

# Keys whose attribute in Profile has a name of its own.
RENAMED = {
    "model.name": "model",
    "model.golden": "golden",
    "service.manifests": "manifests",
    "service.name": "service",
    "images.server": "server_image",
    "cluster.identity": "identity",
}
# Attributes that are of the file, not in it.
OF_THE_FILE = {"name", "file", "sha256"}
# A mapping with a fixed set of keys in the file, which reports and runs use as it is.
MAPPING = "versions"


def nodes(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key of the schema with its node, sections included."""
    for key, each in node.get("properties", {}).items():
        inner = f"{path}.{key}".removeprefix(".")
        yield inner, each
        yield from nodes(each, inner)


def keys() -> set[str]:
    """Keys that have a value."""
    return {path for path, node in nodes(schema()) if "properties" not in node}


def attributes(kind: type, path: str = "") -> Iterator[str]:
    """Every attribute of a data class, down to what is no data class."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        inner = f"{path}.{field.name}".removeprefix(".")
        parts = [each for each in (hints[field.name], *get_args(hints[field.name])) if is_dataclass(each)]
        # A list of records is one key.
        if parts and get_origin(hints[field.name]) is not tuple and inner != "gateway.reference":
            assert isinstance(parts[0], type)
            yield from attributes(parts[0], inner)
        else:
            yield inner


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(dict(schema()))


def test_every_key_of_the_schema_is_an_attribute_and_the_other_way_round() -> None:
    in_file = {RENAMED.get(key, key) for key in keys() if not key.startswith(f"{MAPPING}.")} | {MAPPING}
    assert in_file == set(attributes(Profile)) - OF_THE_FILE


def test_every_key_has_a_description_and_sections_allow_no_others() -> None:
    for path, node in nodes(schema()):
        assert node.get("description", "").endswith("."), path
        if "properties" in node:
            assert node["additionalProperties"] is False, path


def test_every_key_that_may_be_unsaid_has_one_default_that_is_allowed() -> None:
    for path, node in nodes(schema()):
        parent, _, key = path.rpartition(".")
        section = dict(nodes(schema()))[parent] if parent else schema()
        required = key in section.get("required", [])
        if path in ("secrets.pull", "secrets.token") or parent == MAPPING:
            assert not required, path
            assert "default" not in node, path
        else:
            assert required != ("default" in node), path
        if "default" in node:
            assert problems(node["default"], node) == [], path


def test_examples_are_allowed() -> None:
    for path, node in nodes(schema()):
        for example in node.get("examples", []):
            assert problems(example, node) == [], path


def test_truth_values_in_the_shipped_files_are_the_same_in_both_versions_of_yaml() -> None:
    for path in PROFILES.glob("*.yaml"):
        assert yaml.safe_load(path.read_text()) == read_yaml(path, "a file").value, path.name


def test_documentation_is_what_the_schema_and_the_profiles_make() -> None:
    written = (CHECKOUT / "docs" / "profiles.md").read_text()
    assert written == page(), "python -m tools.profile > docs/profiles.md"


@pytest.mark.parametrize("key", sorted(keys()))
def test_every_key_is_documented_with_what_holds_when_it_is_unsaid(key: str) -> None:
    (row,) = [line for line in page().splitlines() if line.startswith(f"| `{key}` |")]
    *_, unsaid = [cell.strip() for cell in row.strip("|").split(" | ")]
    node = dict(nodes(schema()))[key]
    default = node.get("default")
    if default in (None, "", {}):
        assert unsaid.startswith(("none", "must be said"))
    else:
        assert unsaid == f"`{default if isinstance(default, str) else json.dumps(default)}`"


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_documented(name: str) -> None:
    (line,) = [line for line in page().splitlines() if line.startswith(f"- [`{name}`]")]
    profile = load_profile(name)
    assert f"Service `{profile.service}`, image `{profile.server_image}`" in line
    assert line.endswith(", ".join(f"`{key}`" for key in profile.claims()) + ".")
