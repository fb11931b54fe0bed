"""A YAML file that a user writes: read with the place of every value, and refused with FILE:LINE:COLUMN.

Values are those of YAML 1.2's core schema, which is what editors check: `off` and `2026-12-31` are text here, whatever
YAML 1.1 made of them. Anchors may be used; merge keys (`<<`) are not part of YAML 1.2.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError
from tools.records import KeyPath, Problem, problems


@dataclass(frozen=True, order=True)
class Position:
    """A place in a text, both counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True)
class YamlFile:
    """What a file says.

    Attributes:
        path: the file.
        what: what it is meant to be, for messages: `a profile`.
        value: its content.
        positions: of every entry, by path: of the key in a mapping, of the value in a list.
        sha256: of its bytes, in hexadecimal digits.
    """

    path: Path
    what: str
    value: Any
    positions: Mapping[KeyPath, Position]
    sha256: str

    def where(self, path: KeyPath) -> str:
        """`FILE:LINE:COLUMN` of an entry, or of the nearest one around it."""
        return f"{shown(self.path)}:{self._position(path)}"

    def check(self, schema: Mapping[str, Any], more: Iterable[Problem] = (), next_step: str = "") -> None:
        """Refuse content that breaks its schema.

        Args:
            schema: JSON schema, draft 2020-12.
            more: what else is wrong, told together with it.
            next_step: what to do.

        Raises:
            UserError: with everything that is wrong, in the file's order.
        """
        found = sorted([*problems(self.value, schema), *more], key=lambda each: self._position(each.path))
        if found:
            raise UserError(
                self.what, _listed(f"{self.where(each.path)}: {each}" for each in found), next_step=next_step
            )

    def _position(self, path: KeyPath) -> Position:
        while path not in self.positions and path:
            path = path[:-1]
        return self.positions[path]


def read_yaml(path: Path, what: str) -> YamlFile:
    """Read a file.

    Args:
        path: the file.
        what: what it is meant to be, for messages: `a profile`.

    Raises:
        UserError: it cannot be read, is empty, is not YAML, or has a key twice.
    """
    data = _bytes(path, what)
    text = _text(path, what, data)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise UserError(what, f"{shown(path)} is empty")
        positions: dict[KeyPath, Position] = {(): _at(root.start_mark)}
        if wrong := sorted(_walk(root, (), positions, ())):
            raise UserError(what, _listed(f"{shown(path)}:{place}: {line}" for place, line in wrong))
        return YamlFile(path, what, loader.construct_document(root), positions, hashlib.sha256(data).hexdigest())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place, problem = _at(mark) if mark else Position(1, 1), error.problem or error.context or "cannot be parsed"
    except yaml.reader.ReaderError as error:
        place, problem = _place(text, error.position), "it has a control character"
    except RecursionError:
        place, problem = Position(1, 1), "it is nested too deeply"
    raise UserError(what, f"{shown(path)}:{place}: not YAML: {problem}")


def shown(path: Path) -> str:
    """A path as the user would type it: relative where it is below the current directory."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML keeps them in the class


for _tag, _pattern, _first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
]:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        observed = f"there is no file {shown(path)}"
    except IsADirectoryError:
        observed = f"{shown(path)} is a directory, not a file"
    except OSError as error:
        observed = f"{shown(path)} cannot be read: {error.strerror}"
    raise UserError(what, observed)


def _text(path: Path, what: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        place = _place(before, len(before))
        observed = f"{shown(path)}:{place}: not text in UTF-8 (byte 0x{data[error.start]:02x})"
    raise UserError(what, observed, next_step="save it in UTF-8")


def _walk(
    node: yaml.Node, path: KeyPath, positions: dict[KeyPath, Position], around: tuple[yaml.Node, ...]
) -> Iterator[tuple[Position, str]]:
    """Note where everything is; yield what YAML allows and nobody wants."""
    if node in around:
        yield _at(node.start_mark), "contains itself"
    elif isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            positions[(*path, index)] = _at(each.start_mark)
            yield from _walk(each, (*path, index), positions, (*around, node))
    elif isinstance(node, yaml.MappingNode):
        for key, each in node.value:
            place = _at(key.start_mark)
            inner = (*path, key.value)
            if key.tag != "tag:yaml.org,2002:str":
                yield place, "a key that is not text; write it in quotes"
            elif inner in positions:
                yield place, f"key {key.value!r} for the second time; it is in line {positions[inner].line} already"
            else:
                positions[inner] = place
                yield from _walk(each, inner, positions, (*around, node))


def _at(mark: yaml.Mark) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _place(text: str, index: int) -> Position:
    before = text[:index]
    return Position(before.count("\n") + 1, index - before.rfind("\n"))


def _listed(lines: Iterable[str]) -> str:
    told = [*lines]
    return told[0] if len(told) == 1 else "\n" + "\n".join(f"    - {line}" for line in told)
