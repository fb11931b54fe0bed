"""A checkout with suites of a test's own, in which sessions are run with the real wiring and the real configuration."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from tests.frame.cluster import FakeCluster
from tests.kube_server import CONTEXT
from tools.outcomes import Outcome
from tools.paths import CHECKOUT
from tools.report.record import CaseRecord, RunRecord, load

_SECONDS = 60
_HEAD = """
import os
import signal
import time

import pytest

from tests.frame.fakes import case, file_fault, harmless, holds, note
from tools.cases.capabilities import DISRUPT_CLUSTER, EXCLUSIVE
from tools.cases.requirement import claimed, feature
from tools.errors import UserError
from tools.explain import Violation, check
from tools.faults.fault import Scope
"""


# As on the nodes of the recorded cluster.
_ACCELERATORS: dict[str, Any] = {
    "gpu": {
        "name": "NVIDIA T4",
        "resource": "nvidia.com/gpu",
        "count": 1,
        "node_labels": {"cloud.google.com/gke-accelerator": "nvidia-tesla-t4"},
    },
    "tpu": {
        "name": "TPU v6e",
        "resource": "google.com/tpu",
        "count": 4,
        "node_labels": {"cloud.google.com/gke-tpu-accelerator": "tpu-v6e-slice"},
    },
}
_SERVICES = {
    "gpu": ("manifests/services/gpu/gemma-2b-it/base", "vllm-gemma"),
    "tpu": ("manifests/services/tpu/qwen2.5-3b-instruct/base", "vllm-qwen"),
}


@dataclass(frozen=True)
class Session:
    """A session of pytest that has ended.

    Attributes:
        status: exit status.
        output: what it said, on both channels.
        reports: of its run; None if it made none.
    """

    status: int
    output: str
    reports: Path | None

    @property
    def record(self) -> RunRecord:
        """What it wrote about itself."""
        return load(self.written("run.json"))

    @property
    def cases(self) -> dict[str, CaseRecord]:
        """Its cases by name."""
        return {each.name: each for each in self.record.cases}

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How they ended."""
        return {name: each.outcome for name, each in self.cases.items()}

    def written(self, name: str) -> dict[str, Any]:
        """One of its JSON files."""
        assert self.reports is not None, self.output
        found: dict[str, Any] = json.loads((self.reports / name).read_text())
        return found


class Checkout:
    """A directory that looks like this checkout to pytest.

    Attributes:
        path: the directory; sessions run in it.
    """

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.path = pytester.path
        self._pytester = pytester
        self._known: set[Path] = set()
        (self.path / "suites").mkdir()
        (self.path / "suites" / "__init__.py").touch()
        for name in ("conftest.py", "pyproject.toml"):
            (self.path / name).write_text((CHECKOUT / name).read_text())

    def suite(self, area: str, text: str) -> Path:
        """Write a file of cases, of an area; what they are made of is imported for them."""
        path = self.path / "suites" / area / f"test_{area}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_HEAD + dedent(text))
        return path

    def profile(self, kind: str = "gpu", **more: Any) -> Path:
        """Write a profile that promises as little as one can; `more` are further sections of it."""
        path = self.path / f"frame-{kind}.yaml"
        manifests, service = _SERVICES[kind]
        content = {
            "accelerator": {"kind": kind, **_ACCELERATORS[kind]},
            "mesh": "none",
            "model": {"name": "a/model"},
            "service": {"manifests": manifests, "name": service},
            "images": {"server": "registry.example.com/vllm:1"},
            "signoff": {"minimum_executed": 1},
        }
        path.write_text(yaml.safe_dump(content | more))
        return path

    def local(self, cluster: FakeCluster) -> None:
        """Let the local cluster be this one: see tests.frame.local."""
        cluster.kubeconfig(self.path)
        conftest = self.path / "conftest.py"
        conftest.write_text(f"{conftest.read_text()}\nfrom tests.frame import local\n\nlocal.install()\n")

    def session(self, *arguments: str) -> Session:
        """Run pytest to its end."""
        return self.end(self.start(*arguments))

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Begin a session, in a process group of its own, as a shell does; `end` it before the next."""
        self._known = self._runs()
        # What is known of the real cases is no matter here; a test that has such a file names it after this one.
        unknown = self.path / "state" / "nothing-known.yaml"
        unknown.parent.mkdir(exist_ok=True)
        unknown.write_text("[]\n")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:anyio"]
        command += [f"--known-issues={unknown}", *arguments]
        process: subprocess.Popen[bytes] = self._pytester.popen(
            command,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            # Where these tests are started in the background (CI, nohup), Ctrl-C begins ignored, and would stay so.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        return process

    def end(self, process: "subprocess.Popen[bytes]") -> Session:
        """Wait for a session's end; one that hangs is killed, and fails."""
        try:
            output = process.communicate(timeout=_SECONDS)[0].decode()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        print(output)
        made = self._runs() - self._known
        return Session(process.returncode, output, made.pop() if made else None)

    def notes(self) -> list[str]:
        """What cases and faults have noted, in the order in which it happened."""
        path = self.path / "state" / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def _runs(self) -> set[Path]:
        reports = self.path / "reports"
        return set(reports.iterdir()) if reports.exists() else set()


def on(cluster: FakeCluster, checkout: Checkout, *profiles: Path) -> list[str]:
    """Options for an existing cluster, with the checkout's own profile for GPUs if none is named."""
    kubeconfig = cluster.kubeconfig(checkout.path)
    wanted = [f"--profile={each}" for each in profiles or (checkout.profile(),)]
    return ["--cluster=existing", f"--context={CONTEXT}", f"--kubeconfig={kubeconfig}", *wanted]
