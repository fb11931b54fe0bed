"""kubectl and Helm as commands on one named cluster."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError


@dataclass(frozen=True)
class Commands:
    """The two programs, bound to one kubeconfig.

    Attributes:
        kubectl: program.
        helm: program.
        kubeconfig: names the cluster; the user's own is never read.
        home: directory for Helm's own cache and configuration.
    """

    kubectl: Path
    helm: Path
    kubeconfig: Path
    home: Path

    def kube(self, *arguments: str, stdin: str | None = None, seconds: float = 120) -> str:
        """Run kubectl and return what it printed.

        Raises:
            UserError: it failed, with its own words.
        """
        return self._run([str(self.kubectl), *arguments], stdin, seconds)

    def apply(self, *documents: dict[str, Any]) -> None:
        """Server-side apply of documents: some CRDs are too large for the client's annotation."""
        self.kube(*_APPLY, "-f", "-", stdin=yaml.safe_dump_all(documents))

    def apply_files(self, *paths: Path) -> None:
        """Server-side apply of files or directories."""
        self.kube(*_APPLY, *(f"--filename={path}" for path in paths))

    def get(self, *arguments: str) -> dict[str, Any]:
        """`kubectl get … -o json`."""
        found: dict[str, Any] = json.loads(self.kube("get", *arguments, "-o", "json"))
        return found

    def wait(self, condition: str, *what: str, seconds: int) -> None:
        """Wait for a condition by watch: `condition=Available`, `create`, `jsonpath=…`.

        Raises:
            UserError: it did not come; with the latest warnings of the namespace, because a time-out explains nothing.
        """
        try:
            self.kube("wait", f"--for={condition}", f"--timeout={seconds}s", *what, seconds=seconds + 10)
        except UserError as error:
            scope = [part for part in what if part.startswith("--namespace")] or ["--all-namespaces"]
            raise UserError(error.expected, f"{error.observed}\n{self._warnings(scope)}") from None

    def _warnings(self, scope: list[str]) -> str:
        columns = "custom-columns=OBJECT:.involvedObject.name,REASON:.reason,MESSAGE:.message"
        options = ["--field-selector=type=Warning", "--sort-by=.metadata.creationTimestamp", f"--output={columns}"]
        try:
            rows = self.kube("get", "events", *scope, *options).splitlines()
        except UserError:
            return "the cluster does not tell its events either"
        return "\n".join(["latest warnings:", *(f"    {row[:400]}" for row in rows[-6:])])

    def template(self, release: str, chart: Path, namespace: str, values: Path) -> list[dict[str, Any]]:
        """Documents of a chart with its values."""
        text = self._helm("template", release, str(chart), "--namespace", namespace, "--values", str(values))
        return [document for document in yaml.safe_load_all(text) if document]

    def install(self, release: str, chart: Path, namespace: str, values: Path) -> None:
        """Install or upgrade a release without waiting for its pods."""
        command = ["upgrade", "--install", release, str(chart), "--namespace", namespace, "--create-namespace"]
        self._helm(*command, "--values", str(values))

    def _helm(self, *arguments: str) -> str:
        return self._run([str(self.helm), *arguments], None, 180)

    def _run(self, command: list[str], stdin: str | None, seconds: float) -> str:
        own = {f"HELM_{kind}_HOME": str(self.home / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
        path = os.environ.get("PATH", os.defpath)
        environment = {"PATH": path, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.home), **own}
        try:
            done = subprocess.run(
                command, input=stdin, env=environment, capture_output=True, text=True, timeout=seconds, check=True
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"`{_short(command)}` to end within {seconds:.0f} s", "it did not") from None
        except subprocess.CalledProcessError as error:
            raise UserError(f"`{_short(command)}` to succeed", (error.stderr or error.stdout).strip()[-1500:]) from None
        return done.stdout


_APPLY = ["apply", "--server-side", "--force-conflicts", "--field-manager=llmisvc-conformance"]


def _short(command: list[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])[:200]
