"""Sessions of pytest as a user starts them, in processes of their own, and what they leave."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.kube.kinds import ENDPOINT_SLICE, EVENT, KNOWN, LEASE
from tools.paths import CHECKOUT
from tools.report.record import RunRecord, load


@dataclass(frozen=True)
class Session:
    """A session that has ended.

    Attributes:
        status: exit status.
        output: what it said.
        directory: its reports; None if it made none.
    """

    status: int
    output: str
    directory: Path | None

    @property
    def record(self) -> RunRecord:
        """The record of its run."""
        assert self.directory is not None, self.output
        data: Mapping[str, Any] = json.loads((self.directory / "run.json").read_text())
        return load(data)

    @property
    def end(self) -> str:
        """What a user sees at its end."""
        return self.output[self.output.rfind("= conformance =") :]


def command(*arguments: str) -> list[str]:
    """The command line of a session."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def run(*arguments: str, seconds: float, **environment: str) -> Session:
    """Run a session to its end."""
    done = subprocess.run(
        command(*arguments),
        cwd=CHECKOUT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Session(done.returncode, done.stdout, directory_of(done.stdout))


def directory_of(output: str) -> Path | None:
    """Where a session's reports are, by its own word."""
    lines = [line for line in output.splitlines() if line.startswith("run: ")]
    found = CHECKOUT / lines[-1].rpartition(" ")[2] if lines else None
    return found if found is not None and found.is_dir() else None


PROGRAM = str(Path(sys.executable).with_name("llmisvc-conformance"))
# What an audit could change, without what changes by itself.
KINDS = [each for each in KNOWN if each.namespaced and each not in (ENDPOINT_SLICE, EVENT, LEASE)]
