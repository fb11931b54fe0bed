"""CustomResourceDefinitions on disk: found by kind, read once."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError
from tools.manifests import Document

# The C parser, where PyYAML has it: KServe's CRDs are 2.2 MB each.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Crd:
    """A kind as a cluster's API server would take it.

    Attributes:
        group: API group.
        kind: kind.
        schemas: served version to openAPIV3Schema.
    """

    group: str
    kind: str
    schemas: Mapping[str, Document]


class Crds:
    """The CRDs of some files; a file is read when a kind is first asked for that it may define.

    Args:
        paths: YAML files or directories of them (charts' templates without template directives will do).
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        found = (sorted(path.rglob("*.yaml")) if path.is_dir() else [path] for path in paths)
        self._files = [file for files in found for file in files]

    def find(self, group: str, kind: str) -> Crd:
        """The CRD of a kind.

        Raises:
            UserError: no file defines it.
        """
        for file in self._files:
            for crd in _read(file) if _mentions(file, group, kind) else []:
                if (crd.group, crd.kind) == (group, kind):
                    return crd
        looked = ", ".join(sorted({str(file.parent) for file in self._files})) or "nothing"
        raise UserError(f"the CRD of {kind} ({group})", f"not in {looked}", next_step="make stack")


def served(definition: Document) -> Crd:
    """A CustomResourceDefinition's served versions."""
    spec = definition["spec"]
    schemas = {each["name"]: each["schema"]["openAPIV3Schema"] for each in spec["versions"] if each["served"]}
    return Crd(spec["group"], spec["names"]["kind"], schemas)


def _mentions(file: Path, group: str, kind: str) -> bool:
    text = _text(file)
    return f"group: {group}" in text and f"kind: {kind}" in text


@functools.cache
def _text(file: Path) -> str:
    return file.read_text()


@functools.cache
def _read(file: Path) -> list[Crd]:
    documents = yaml.load_all(_text(file), Loader=_Loader)
    return [served(each) for each in documents if each and each.get("kind") == "CustomResourceDefinition"]
