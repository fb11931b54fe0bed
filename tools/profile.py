"""Profiles: what a release promises, in YAML, and nothing of it hard-wired in cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.records import refuse_invalid

PROFILES = CHECKOUT / "manifests" / "profiles"
_SCHEMA = PROFILES / "schema.yaml"


class Kind(StrEnum):
    """Kinds of accelerators."""

    GPU = "gpu"
    TPU = "tpu"


class Mesh(StrEnum):
    """How server pods take part in the mesh."""

    SIDECAR = "sidecar"


@dataclass(frozen=True)
class Accelerator:
    """What a replica runs on.

    Attributes:
        kind: GPU or TPU.
        resource: extended resource that the server's container asks for.
        count: how many per replica.
        node_labels: labels of the node.
    """

    kind: Kind
    resource: str
    count: int
    node_labels: Mapping[str, str]


@dataclass(frozen=True)
class Profile:
    """What a release promises.

    Attributes:
        name: the file's name without suffix.
        accelerator: what a replica runs on.
        mesh: how server pods take part in the mesh.
        model: name that requests use.
        manifests: kustomize directory with the service under test.
        service: the LLMInferenceService in it.
        server_image: image of the server's container.
    """

    name: str
    accelerator: Accelerator
    mesh: Mesh
    model: str
    manifests: Path
    service: str
    server_image: str


def load_profile(name: str) -> Profile:
    """Read a profile.

    Args:
        name: one of manifests/profiles without suffix, or the path of a YAML file.

    Raises:
        UserError: there is no such profile, it breaks the schema, or its service's directory does not exist.
    """
    path = _path(name)
    text = yaml.safe_load(path.read_text())
    refuse_invalid(text, yaml.safe_load(_SCHEMA.read_text()), str(path), next_step=f"see {_SCHEMA}")
    manifests = CHECKOUT / text["service"]["manifests"]
    if not (manifests / "kustomization.yaml").is_file():
        raise UserError(
            f"a kustomize directory as service.manifests of {path}", f"no kustomization.yaml in {manifests}"
        )
    found = text["accelerator"]
    return Profile(
        path.stem,
        Accelerator(Kind(found["kind"]), found["resource"], found["count"], dict(found["node_labels"])),
        Mesh(text["mesh"]),
        text["model"]["name"],
        manifests,
        text["service"]["name"],
        text["images"]["server"],
    )


def _path(name: str) -> Path:
    if name.endswith((".yaml", ".yml")):
        path, known = Path(name), "a YAML file"
    else:
        path = PROFILES / f"{name}.yaml"
        known = ", ".join(sorted(each.stem for each in PROFILES.glob("*.yaml") if each != _SCHEMA))
    if not path.is_file() or path == _SCHEMA:
        raise UserError(
            f"a profile: {known}", f"{name}: there is no {path}", next_step="name one of these, or a file .yaml"
        )
    return path
