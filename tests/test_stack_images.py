"""Image archives: the same bytes for the same content, and in a layout that loaders read."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from tools.paths import CHECKOUT
from tools.stack.images import IMAGES
from tools.stack.oci import Entry, ImageConfig, write_image, write_layer
from tools.stack.pins import PINS


def make_tree(root: Path, umask: int) -> Path:
    """A tree with a program, a link and a directory, made with some umask at some time."""
    before = os.umask(umask)
    try:
        (root / "etc").mkdir(parents=True)
        (root / "etc/name").write_text("value")
        (root / "run").write_text("#!/bin/sh\n")
        (root / "run").chmod(0o4755 & ~umask)
        (root / "also").symlink_to("run")
    finally:
        os.umask(before)
    os.utime(root / "run", (umask, umask))
    return root


def write(folder: Path, umask: int) -> Path:
    layer = write_layer(
        folder / "layer.tar", [Entry("/opt/app", make_tree(folder / "tree", umask)), Entry("/scratch", None, 0o1777)]
    )
    write_image(folder / "image.tar", "localhost/a/b:1", ImageConfig(["/opt/app/run"], user="1000:1000"), [layer])
    return folder / "image.tar"


def test_time_and_umask_of_the_build_do_not_change_the_archive(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = write(tmp_path / "a", 0o022), write(tmp_path / "b", 0o077)
    assert one.read_bytes() == two.read_bytes()


def test_a_layer_has_parents_modes_and_links_but_no_privileged_bits(tmp_path: Path) -> None:
    write(tmp_path, 0o022)
    with tarfile.open(tmp_path / "layer.tar") as tar:
        members = {member.name: member for member in tar}
    assert list(members) == [
        "opt",
        "opt/app",
        "opt/app/also",
        "opt/app/etc",
        "opt/app/etc/name",
        "opt/app/run",
        "scratch",
    ]
    assert members["opt/app/run"].mode == 0o755
    assert members["opt/app/etc/name"].mode == 0o644
    assert members["scratch"].mode == 0o1777
    assert members["opt/app/also"].linkname == "run"
    assert {(member.mtime, member.uid, member.uname) for member in members.values()} == {(0, 0, "")}


def test_every_blob_is_named_by_its_content_and_the_image_by_its_full_reference(tmp_path: Path) -> None:
    with tarfile.open(write(tmp_path, 0o022)) as tar:
        blobs = {m.name: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
    for name, content in blobs.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.removeprefix("blobs/sha256/")
    (manifest,) = json.loads(blobs["index.json"])["manifests"]
    assert manifest["annotations"]["io.containerd.image.name"] == "localhost/a/b:1"
    described = json.loads(blobs["blobs/sha256/" + manifest["digest"].removeprefix("sha256:")])
    config = json.loads(blobs["blobs/sha256/" + described["config"]["digest"].removeprefix("sha256:")])
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in described["layers"]]
    assert config["config"]["User"] == "1000:1000"


def test_images_have_numeric_users_and_full_references() -> None:
    for image in IMAGES:
        assert all(part.isdigit() for part in image.config.user.split(":")), image.key
        registry, _, rest = image.name.partition("/")
        assert "." in registry or registry == "localhost", image.name
        assert ":" in rest, image.name


def test_the_simulators_vllm_answers_the_version_that_presets_ask_for(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": f"{CHECKOUT}:{':'.join(sys.path)}"}
    command = ["sh", str(PINS / "vllm.sh"), "--version"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=20)
    assert re.match(r"\d+\.\d+\.\d+", told.stdout)
