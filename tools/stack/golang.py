"""The Go toolchain: which one, in what environment, and how a component is compiled with it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.stack.components import Compile, Component
from tools.stack.pins import PINS
from tools.stack.procs import run_logged

MINIMUM = (1, 26)

# No debugging information for the compiler to make: a fifth of the time and of the cache (measured with etcd:
# 54 s for 75 s, 259 MB for 330 MB, the same program), and `-s -w` would drop it in the end anyway.
_COMPILER_FLAGS = "-gcflags=all=-dwarf=false"


@dataclass(frozen=True)
class Go:
    """A toolchain with caches of our own.

    Attributes:
        program: path of `go`.
        version: for example `go1.26.8`.
        cache: our cache directory.
    """

    program: str
    version: str
    cache: Path

    def environment(self) -> dict[str, str]:
        """What decides a build, whatever the user has set; where modules come from is left to the user's settings."""
        scratch = self.cache / "go-tmp"
        scratch.mkdir(parents=True, exist_ok=True)
        return {
            **FLAGS,
            "GOMODCACHE": str(self.cache / "go-mod"),
            "GOCACHE": str(self.cache / "go-build"),
            "GOTMPDIR": str(scratch),
            # The compiler collects its garbage less often: faster, for some hundred megabytes.
            "GOGC": "400",
        }

    def packages(self, component: Component, log: Path) -> list[str]:
        """Every package that a component is made of; fetches the modules that they are in."""
        found: set[str] = set()
        for compile_ in component.compiles:
            run_logged(self.list_command(compile_), log, env=self.environment(), cwd=PINS / component.name,
                       on_line=lambda line: found.add(line) if not line.startswith("go: ") else None)  # fmt: skip
        return sorted(found)

    def list_command(self, compile_: Compile) -> list[str]:
        """Command that lists all packages of a compile, fetching what is not there yet."""
        return [self.program, "list", "-deps", "-tags", compile_.tags, *compile_.packages.values()]

    def build(self, component: Component, out: Path, log: Path, on_package: Callable[[str], None]) -> None:
        """Compile a component's programs.

        Args:
            component: what to compile.
            out: directory that gets the programs.
            log: file that gets the compiler's output.
            on_package: called with each package that had to be compiled.

        Raises:
            StepFailed: the compiler ended with an error.
        """
        for compile_ in component.compiles:
            # A directory as target names each program after its package; one program is named here.
            single = f"/{next(iter(compile_.packages))}" if len(compile_.packages) == 1 else "/"
            command = [self.program, "build", "-v", *build_flags(component, compile_), "-o", f"{out}{single}"]
            run_logged([*command, *compile_.packages.values()], log, env=self.environment(),
                       cwd=PINS / component.name, on_line=on_package)  # fmt: skip

    def module_dir(self, component: str, module: str) -> Path:
        """Directory of a pinned module's sources; fetches it if it is not there yet."""
        done = subprocess.run(
            [self.program, "mod", "download", "-json", f"{module}"], cwd=PINS / component, check=False,
            env={**os.environ, **self.environment()}, capture_output=True, text=True,
        )  # fmt: skip
        found = re.search(r'"Dir": "([^"]+)"', done.stdout)
        if done.returncode != 0 or found is None:
            raise RuntimeError(f"go mod download {module}: {done.stdout} {done.stderr}")
        return Path(found.group(1))


FLAGS = {
    "CGO_ENABLED": "0",
    "GOOS": "linux",
    "GOARCH": "amd64",
    "GOAMD64": "v1",
    "GOEXPERIMENT": "",
    "GOFLAGS": "-modcacherw -trimpath",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def build_flags(component: Component, compile_: Compile) -> list[str]:
    """Arguments of `go build` that decide the programs' content."""
    return ["-buildvcs=false", _COMPILER_FLAGS, "-tags", compile_.tags, "-ldflags", component.ldflags()]


def on_machine() -> str | None:
    """Path of the machine's own `go`, if it is new enough."""
    program = shutil.which("go")
    return program if program and new_enough(version_of(program)) else None


def version_of(program: str) -> str:
    """Version of a toolchain, for example `go1.26.8`; empty if it does not start."""
    command: Sequence[str] = [program, "env", "GOVERSION"]
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def new_enough(version: str) -> bool:
    """Whether a toolchain of this version can compile the pinned modules."""
    found = re.match(r"go(\d+)\.(\d+)", version)
    return found is not None and (int(found.group(1)), int(found.group(2))) >= MINIMUM
