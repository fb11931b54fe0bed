"""Pins and flags: read as they are written, and complete."""

from pathlib import Path

import pytest

from tools.errors import UserError
from tools.stack import golang, lock, machine, pins, plan, wheels
from tools.stack.components import COMPONENTS, Component
from tools.stack.images import IMAGES
from tools.stack.machine import Machine
from tools.stack.manifests import COPIES

GO_MOD = """\
module llmisvc-conformance/stack/x

go 1.26.0

tool example.com/a/cmd/x

require example.com/single v0.1.0

require (
\texample.com/a v1.2.3
\texample.com/b/v2 v2.0.0-20260827124520-eed52ebb66ad // indirect
)

replace example.com/a => example.com/a v9.9.9

replace (
\texample.com/c => example.com/c v9.9.9
)
"""


def test_requirements_are_read_and_replacements_are_not() -> None:
    assert pins.module_versions(GO_MOD) == {
        "example.com/single": "v0.1.0",
        "example.com/a": "v1.2.3",
        "example.com/b/v2": "v2.0.0-20260827124520-eed52ebb66ad",
    }


def test_a_pseudo_version_names_its_commit() -> None:
    assert pins.revision("v0.0.0-20260827124520-eed52ebb66ad") == "eed52ebb66ad"
    assert pins.revision("v1.36.3") == "v1.36.3"


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_every_component_is_pinned_and_its_programs_tell_that_version(component: Component) -> None:
    assert component.version.startswith("v")
    assert component.ldflags().startswith("-s -w")
    assert "{" not in component.ldflags()


def test_kubernetes_says_its_version() -> None:
    flags = next(c for c in COMPONENTS if c.name == "kubernetes").ldflags()
    version = pins.pinned("kubernetes", "k8s.io/kubernetes")
    assert f"-X k8s.io/component-base/version.gitVersion={version}" in flags
    assert f"-X k8s.io/component-base/version.gitMinor={version.split('.')[1]} " in flags


def test_everything_that_is_copied_out_of_a_module_is_pinned() -> None:
    for copy in COPIES:
        assert pins.pinned(copy.component, copy.module).startswith("v")


def test_keys_of_parts_are_the_same_every_time_and_unlike_each_other() -> None:
    keys = [part.key for part in plan.parts()]
    assert keys == [part.key for part in plan.parts()]
    assert len(set(keys)) == len(keys)


def test_parts_come_after_what_they_need() -> None:
    seen: set[str] = set()
    for part in plan.parts():
        assert {need.key for need in part.needs} <= seen, part.name
        seen.add(part.key)


def test_a_change_of_the_simulator_makes_only_its_image_anew() -> None:
    source = next(part for part in plan.parts() if part.name == "simulator-source")
    above = {part.name for part in plan.parts() if source in part.needs}
    assert above == {"image-simulator"}


def test_wheels_are_pinned_with_checksums() -> None:
    for name in ("envoy", "go", "simulator", "storage-initializer"):
        assert all(pin.version and pin.sha256 for pin in wheels.parse_lock((pins.PINS / f"{name}.lock").read_text()))


def test_the_downloader_is_of_kserves_version() -> None:
    locked = {pin.name: pin.version for pin in wheels.parse_lock((pins.PINS / "storage-initializer.lock").read_text())}
    version = pins.pinned("kserve", "github.com/kserve/kserve")
    assert f"v{locked['kserve-storage']}" == version
    assert f"docker.io/kserve/storage-initializer:{version}" in {image.name for image in IMAGES}


def test_what_is_left_out_is_kept_out_of_a_lock_whoever_wants_it(tmp_path: Path) -> None:
    names = tmp_path / "some.without"
    names.write_text("# why\nboto3\n")
    assert lock.without(names) == "boto3 ; sys_platform == 'left-out'\n"
    assert lock.without(tmp_path / "other.without") == ""


def test_a_wheel_without_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match="hash"):
        wheels.parse_lock("# comment\naiohttp==3.14.5\n")


@pytest.mark.parametrize(
    ("version", "enough"), [("go1.26.0", True), ("go1.27.3", True), ("go2.0", True), ("go1.25.9", False), ("", False)]
)
def test_which_go_is_new_enough(version: str, enough: bool) -> None:
    assert golang.new_enough(version) is enough


def a_machine(**differences: object) -> Machine:
    fields = {"architecture": "x86_64", "system": "Linux", "missing_tools": (), "free_disk_gb": 50.0,
              "free_memory_gb": 8.0, "cache": Path("/cache")} | differences  # fmt: skip
    return Machine(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("differences", "told"),
    [
        ({"architecture": "aarch64"}, "Linux on aarch64"),
        ({"missing_tools": ("dpkg-deb",)}, "not in PATH: dpkg-deb"),
        ({"free_disk_gb": 9.4}, "9.4 GB free below /cache"),
        ({"free_memory_gb": 1.2}, "1.2 GB available"),
    ],
)
def test_a_machine_that_cannot_build_is_told_why_in_figures(differences: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        machine.check(a_machine(**differences), disk_gb=16, memory_gb=3)


def test_a_machine_that_can_build_passes() -> None:
    machine.check(a_machine(), disk_gb=16, memory_gb=3)
    machine.check(a_machine(free_disk_gb=0.1), plan.disk_gb([]), plan.memory_gb([]))


def test_building_everything_wants_as_much_disk_as_was_measured() -> None:
    assert 14 <= plan.disk_gb(plan.parts()) <= 20
