"""The stack as it is built: every program starts and is what the pins say. Needs `make stack`."""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools.stack import Stack, directory, locate_stack, pins
from tools.stack.components import COMPONENTS
from tools.stack.images import IMAGES
from tools.stack.oci import LAYER_TYPE


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The stack of this checkout."""
    return locate_stack()


def run(stack: Stack, *command: str | Path) -> str:
    """Output of a program in the environment of a node's tools."""
    environment = {**os.environ, **stack.host_env()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=30)
    return done.stdout + done.stderr


def test_every_file_is_what_was_built(stack: Stack) -> None:
    assert directory.flaw(stack.root, full=True) == ""


def test_every_program_of_the_pins_is_built(stack: Stack) -> None:
    for component in COMPONENTS:
        for compile_ in component.compiles:
            for name in compile_.packages:
                assert os.access(stack.bin(name), os.X_OK), name
        assert stack.versions[component.name] == component.version


@pytest.mark.parametrize(
    ("program", "arguments", "component"),
    [
        ("kubelet", ["--version"], "kubernetes"),
        ("kube-apiserver", ["--version"], "kubernetes"),
        ("kubeadm", ["version", "--output=short"], "kubernetes"),
        ("kubectl", ["version", "--client"], "kubernetes"),
        ("etcd", ["--version"], "etcd"),
        ("coredns", ["--version"], "coredns"),
        ("helm", ["version"], "helm"),
        ("pilot-discovery", ["version"], "istio"),
        ("pilot-agent", ["version"], "istio"),
    ],
)
def test_programs_say_the_version_that_is_pinned(
    stack: Stack, program: str, arguments: list[str], component: str
) -> None:
    version = next(c for c in COMPONENTS if c.name == component).version
    assert pins.revision(version).lstrip("v") in run(stack, stack.bin(program), *arguments)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("containerd", ["--version"]),
        ("ctr", ["--version"]),
        ("runc", ["--version"]),
        ("nft", ["--version"]),
        ("conntrack", ["--version"]),
        ("iptables", ["--version"]),
        ("ip", ["-Version"]),
    ],
)
def test_unpacked_tools_start_from_where_they_lie(stack: Stack, tool: str, arguments: list[str]) -> None:
    found = run(stack, "sh", "-c", f"command -v {tool}").strip()
    assert found.startswith(str(stack.root)), found
    assert run(stack, tool, *arguments)


def test_the_cni_plugins_that_nodes_use_are_there(stack: Stack) -> None:
    assert {"ptp", "host-local", "loopback", "portmap"} <= {path.name for path in stack.cni.iterdir()}


@pytest.mark.parametrize(
    ("chart", "has"),
    [
        ("istio-base", "kind: CustomResourceDefinition"),
        ("istiod", "kind: Deployment"),
        ("kserve-llmisvc-crd", "kind: CustomResourceDefinition"),
        ("kserve-llmisvc-resources", "kind: Deployment"),
    ],
)
def test_charts_render(stack: Stack, chart: str, has: str) -> None:
    assert has in run(stack, stack.bin("helm"), "template", "x", stack.charts / chart)


def test_crds_of_every_origin_are_there(stack: Stack) -> None:
    for origin in ("gateway-api", "gie", "gie-legacy", "cert-manager"):
        files = list((stack.crds / origin).glob("*.yaml"))
        assert any("kind: CustomResourceDefinition" in path.read_text() for path in files), origin


def layers(archive: Path) -> list[str]:
    """Digests of an image's layers, from the bottom up."""
    with tarfile.open(archive) as tar:
        blobs = {member.name: tar.extractfile(member) for member in tar if member.size < 1 << 20}
        (manifest,) = json.load(blobs["index.json"])["manifests"]  # type: ignore[arg-type]
        described = json.load(blobs["blobs/sha256/" + manifest["digest"].removeprefix("sha256:")])  # type: ignore[arg-type]
    assert all(layer["mediaType"] == LAYER_TYPE for layer in described["layers"])
    return [layer["digest"] for layer in described["layers"]]


def test_every_image_has_an_archive_and_the_base_layer_is_shared(stack: Stack) -> None:
    assert stack.images.keys() == {image.key for image in IMAGES}
    assert {image.key: image.name for image in IMAGES} == stack.image_names
    based = {layers(stack.images[image.key])[0] for image in IMAGES if image.base}
    assert len(based) == 1
