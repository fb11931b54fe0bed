"""Writes OCI image archives, byte for byte the same for the same content.

Format: https://github.com/opencontainers/image-spec (image-layout, manifest, config). A `manifest.json` as of
`docker save` lies beside it, for loaders that know only that. Layers are not compressed: the archives never travel.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_BLOCK = 1 << 20
_CREATED = "1970-01-01T00:00:00Z"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Layer:
    """A tar file of a layer.

    Attributes:
        path: the tar file.
        digest: its SHA-256, in hex.
        size: its size in bytes.
    """

    path: Path
    digest: str
    size: int


@dataclass(frozen=True)
class Entry:
    """A file of a layer.

    Attributes:
        target: absolute path in the image.
        source: file or directory tree on disk; None for an empty directory.
        mode: permission bits of a single file or empty directory; those of a tree are kept (but see `write_layer`).
        owner: numeric user and group.
    """

    target: str
    source: Path | None
    mode: int = 0o755
    owner: int = 0


@dataclass(frozen=True)
class ImageConfig:
    """How containers of an image start."""

    entrypoint: Sequence[str]
    user: str = "0:0"
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"


def write_layer(path: Path, entries: Iterable[Entry]) -> Layer:
    """Write a layer: entries in order, trees sorted, times zero, no owners' names, no set-user-id bits."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        written: set[str] = set()
        for entry in entries:
            for parent in reversed(Path(entry.target.lstrip("/")).parents[:-1]):
                _add_directory(tar, str(parent), written, 0o755, 0)
            if entry.source is None:
                _add_directory(tar, entry.target.strip("/"), written, entry.mode, entry.owner)
            elif entry.source.is_dir():
                _add_tree(tar, entry, written)
            else:
                _add_file(tar, entry.target.lstrip("/"), entry.source, entry.mode, entry.owner)
    return Layer(path, _digest(path), path.stat().st_size)


def write_image(path: Path, name: str, config: ImageConfig, layers: Sequence[Layer]) -> str:
    """Write an image archive.

    Args:
        path: the archive to write.
        name: full reference, with registry and tag (containerd takes it from the archive).
        config: how containers start.
        layers: from the bottom up.

    Returns:
        The digest of the image's manifest, `sha256:…`.
    """
    config_blob = _json(_config(config, layers))
    manifest_blob = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config_blob),
            "layers": [{"mediaType": LAYER_TYPE, "digest": f"sha256:{la.digest}", "size": la.size} for la in layers],
        }
    )
    descriptor = _descriptor(_MANIFEST, manifest_blob)
    names = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rsplit(":", 1)[1]}
    index = _json({"schemaVersion": 2, "manifests": [{**descriptor, "annotations": names}]})
    docker = {
        "Config": _blob_path(config_blob),
        "RepoTags": [name],
        "Layers": [f"blobs/sha256/{layer.digest}" for layer in layers],
    }
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        _add_bytes(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add_bytes(tar, "index.json", index)
        _add_bytes(tar, "manifest.json", _json([docker]))
        for blob in (manifest_blob, config_blob):
            _add_bytes(tar, _blob_path(blob), blob)
        for layer in layers:
            _add_file(tar, f"blobs/sha256/{layer.digest}", layer.path, 0o644, 0)
    return str(descriptor["digest"])


def _config(config: ImageConfig, layers: Sequence[Layer]) -> Mapping[str, object]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": _CREATED,
        "config": {
            "User": config.user,
            "Entrypoint": list(config.entrypoint),
            "Env": [f"{key}={value}" for key, value in config.env.items()],
            "WorkingDir": config.workdir,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
        "history": [{"created": _CREATED} for _ in layers],
    }


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}", "size": len(blob)}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _blob_path(blob: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _info(name: str, kind: bytes, mode: int, owner: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = kind, mode, 0
    info.uid = info.gid = owner
    return info


def _add_directory(tar: tarfile.TarFile, name: str, written: set[str], mode: int, owner: int) -> None:
    if name not in written:
        written.add(name)
        tar.addfile(_info(name, tarfile.DIRTYPE, mode, owner))


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = _info(name, tarfile.REGTYPE, 0o644, 0)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, source: Path, mode: int, owner: int) -> None:
    info = _info(name, tarfile.REGTYPE, mode, owner)
    info.size = source.stat().st_size
    with source.open("rb", buffering=_BLOCK) as file:
        tar.addfile(info, file)


def _add_tree(tar: tarfile.TarFile, entry: Entry, written: set[str]) -> None:
    root = entry.source
    assert root is not None
    prefix = entry.target.strip("/")
    if prefix:
        _add_directory(tar, prefix, written, 0o755, entry.owner)
    for path in sorted(root.rglob("*")):
        name = f"{prefix}/{path.relative_to(root)}".lstrip("/")
        if path.is_symlink():
            info = _info(name, tarfile.SYMTYPE, 0o777, entry.owner)
            info.linkname = str(path.readlink())
            tar.addfile(info)
        elif path.is_dir():
            # The sticky bit of /tmp is kept; who may read is not left to the umask of the build.
            _add_directory(tar, name, written, 0o1777 if path.stat().st_mode & 0o1000 else 0o755, entry.owner)
        else:
            _add_file(tar, name, path, 0o755 if path.stat().st_mode & 0o100 else 0o644, entry.owner)
