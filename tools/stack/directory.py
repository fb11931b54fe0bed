"""A finished stack on disk: its record, whether it is whole, and where its things are."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.stack.parts import file_digest

RECORD = "stack.json"
SEAL = "stack.json.sha256"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"


@dataclass(frozen=True)
class Stack:
    """The built software of the local cluster.

    Attributes:
        root: its directory.
        images: short name to OCI archive, to be imported into containerd as they are.
        image_names: short name to the full reference under which pods ask for it.
        versions: component to version.
        unpinned: packages of which the archive had only another version than the pinned one.
    """

    root: Path
    images: Mapping[str, Path]
    image_names: Mapping[str, str]
    versions: Mapping[str, str]
    unpinned: tuple[str, ...] = ()

    def bin(self, name: str) -> Path:
        """Path of a built program; raise UserError if there is none of that name."""
        path = self.root / "bin" / name
        if not path.is_file():
            have = ", ".join(sorted(entry.name for entry in (self.root / "bin").iterdir()))
            raise UserError(f"a built program {name}", f"{self.root} has {have}")
        return path

    @property
    def charts(self) -> Path:
        """Directory with one directory per Helm chart."""
        return self.root / "charts"

    @property
    def crds(self) -> Path:
        """Directory with one directory of CRDs per origin."""
        return self.root / "crds"

    @property
    def cni(self) -> Path:
        """Directory of the CNI plugins."""
        return self.root / "host/usr/lib/cni"

    @property
    def pause_image(self) -> str:
        """Name of the sandbox image."""
        return self.image_names["pause"]

    def host_env(self) -> dict[str, str]:
        """Environment in which the unpacked tools (containerd, runc, nft, …) find each other and their libraries."""
        host = self.root / "host"
        path = f"{self.root}/bin:{host}/usr/sbin:{host}/usr/bin"
        return {
            "PATH": f"{path}:{os.environ.get('PATH', '/usr/sbin:/usr/bin:/sbin:/bin')}",
            "LD_LIBRARY_PATH": str(host / _LIBRARIES),
            "XTABLES_LIBDIR": str(host / _LIBRARIES / "xtables"),
        }


def read(root: Path) -> Stack:
    """A stack from its record."""
    record = json.loads((root / RECORD).read_text())
    images = record["images"]
    return Stack(
        root,
        {key: root / image["file"] for key, image in images.items()},
        {key: str(image["name"]) for key, image in images.items()},
        record["versions"],
        tuple(record["unpinned"]),
    )


def seal(root: Path, record: Mapping[str, Any]) -> None:
    """Write a stack's record, and the record's own checksum beside it."""
    text = json.dumps(record, sort_keys=True, indent=1) + "\n"
    (root / RECORD).write_text(text)
    (root / SEAL).write_text(hashlib.sha256(text.encode()).hexdigest() + "\n")


def flaw(root: Path, *, full: bool = False) -> str:
    """What is wrong with a stack's directory; empty if nothing is.

    Args:
        root: the directory.
        full: compare every file's checksum (seconds) and not only its size (milliseconds).
    """
    try:
        text = (root / RECORD).read_bytes()
        sealed = (root / SEAL).read_text().strip()
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    if hashlib.sha256(text).hexdigest() != sealed:
        return f"{RECORD} is not what was written"
    for name, (digest, size) in json.loads(text)["files"].items():
        path = root / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size or (full and file_digest(path) != digest):
            return f"{name} is not what was built"
    return ""
