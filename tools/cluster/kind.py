"""A cluster in Docker, by kind, through pytest-kind's `KindCluster`. Never run by us; see docs/clusters.md.

pytest-kind is an optional extra (GPL-3.0) and imported only when this provider is asked for. It would download kind
0.17 and kubectl 1.25 without a checksum when they are not given to it, so both are always given, and have to be there.
"""

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.cluster.identity import identity_of
from tools.cluster.kubeconfig import find_context
from tools.cluster.provider import ClusterAccess, Death
from tools.cluster.unreachable import explained
from tools.errors import UserError
from tools.kube.client import Kube
from tools.kube.errors import KubeError

# The release whose commands and output are used here; it has the node images of today's Kubernetes.
KIND = "v0.33.0"
# What the environment may say in place of a name on PATH.
_KIND, _KUBECTL, _IMAGE = "LLMISVC_KIND", "LLMISVC_KUBECTL", "LLMISVC_KIND_IMAGE"
_MODULE = "pytest_kind.cluster"
_WORKER = "PYTEST_XDIST_WORKER"
_SECONDS = 20


class KindProvider:
    """Makes a kind cluster, or finds the one of this name, and deletes it if it was made here.

    Args:
        name: of the cluster; kind's context is `kind-NAME`.
        directory: for its kubeconfig; the user's own is never written.
        environ: the process's environment: $LLMISVC_KIND, $LLMISVC_KUBECTL, $LLMISVC_KIND_IMAGE, PATH.

    Attributes:
        started: whether `up` made it, so that a session ends only what it began.
    """

    def __init__(
        self, name: str = "llmisvc-conformance", directory: Path | None = None, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.name = name
        self.started = False
        self._directory = directory or Path.home() / ".local" / "state" / "llmisvc-conformance" / "kind"
        self._environ = environ
        self._cluster: Any = None

    def up(self) -> ClusterAccess:
        """Make the cluster, or find it.

        Raises:
            UserError: pytest-kind, kind, kubectl or Docker is not there, kind failed, or this is a worker of xdist.
        """
        if worker := self._environ.get(_WORKER):
            raise UserError(
                "a kind cluster to be made once, by the process that the user started",
                f"it was asked for in worker {worker}",
                cause="every worker would make, and delete, the same cluster",
                next_step="take the cluster from the session; this is a bug of the suite",
            )
        made = _load()
        kind, kubectl = self._program("kind", _KIND), self._program("kubectl", _KUBECTL)
        _check_version(kind)
        existing = _run(kind, "get", "clusters").split()
        self._directory.mkdir(parents=True, exist_ok=True)
        kubeconfig = self._directory / f"{self.name}.kubeconfig"
        image = self._environ.get(_IMAGE) or None
        self._cluster = made(self.name, kubeconfig=kubeconfig, image=image, kind_path=kind, kubectl_path=kubectl)
        # Recorded first: what is begun has to be ended even when it fails.
        self.started = self.name not in existing
        if not self.started:
            _run(kind, "export", "kubeconfig", f"--name={self.name}", f"--kubeconfig={kubeconfig}")
        try:
            self._cluster.create()
        except (subprocess.CalledProcessError, OSError) as error:
            raise UserError(
                f"kind to make cluster {self.name}",
                str(error),
                cause="kind's own words are above; most often Docker does not run, or may not be used by this user",
                next_step="docker info",
            ) from None
        return self._access(kubeconfig)

    def down(self) -> bool:
        """Delete the cluster if `up` made it; tell whether it did."""
        if self._cluster is None or not self.started:
            return False
        self._cluster.delete()
        self.started = False
        return True

    def deaths(self) -> list[Death]:
        """None that could be seen from outside of the containers."""
        return []

    def _program(self, name: str, variable: str) -> Path:
        given = self._environ.get(variable, name)
        found = shutil.which(given, path=self._environ.get("PATH"))
        if found is None:
            source = f"${variable}" if variable in self._environ else "on PATH"
            raise UserError(
                f"the program {name}, because none is downloaded",
                f"no {given} ({source})",
                next_step=f"{variable}=/path/to/{name} and the same command"
                + (f"; for example GOBIN=$PWD go install sigs.k8s.io/kind@{KIND}" if name == "kind" else ""),
            )
        return Path(found).absolute()

    def _access(self, kubeconfig: Path) -> ClusterAccess:
        entry = find_context(f"kind-{self.name}", [kubeconfig])
        try:
            identity = identity_of(Kube(kubeconfig, entry.context))
        except KubeError as error:
            raise explained(error, entry) from None
        return ClusterAccess(self.name, "kind", kubeconfig, entry.context, identity)


def _load() -> Any:
    """pytest-kind's class of clusters."""
    try:
        return importlib.import_module(_MODULE).KindCluster
    except ImportError as error:
        raise UserError(
            "pytest-kind, an optional extra (GPL-3.0), for --cluster kind",
            str(error),
            next_step="pip install 'llmisvc-conformance[kind]'",
        ) from None


def _check_version(kind: Path) -> None:
    said = _run(kind, "version").strip()
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    if found is None or tuple(map(int, found.groups())) < tuple(map(int, KIND[1:].split("."))):
        raise UserError(
            f"kind {KIND} or newer",
            f"{kind} says {said!r}",
            next_step=f"GOBIN=$PWD go install sigs.k8s.io/kind@{KIND}, then {_KIND}=$PWD/kind and the same command",
        )


def _run(kind: Path, *words: str) -> str:
    command = [str(kind), *words]
    told = " ".join(["kind", *words])
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
    except subprocess.TimeoutExpired:
        raise UserError(f"`{told}` to end within {_SECONDS} s", "it did not", next_step="docker info") from None
    except subprocess.CalledProcessError as error:
        observed = (error.stderr or error.stdout).strip()[-500:] or f"exit status {error.returncode}"
        raise UserError(f"`{told}` to succeed", observed, next_step="docker info") from None
    except OSError as error:
        raise UserError(f"`{told}` to run", str(error), next_step=f"{_KIND}=/path/to/kind") from None
