"""Kustomize directories to documents, with the kustomize that is in kubectl."""

import subprocess
from pathlib import Path

import yaml

from tools.errors import UserError
from tools.manifests import Document

_SECONDS = 60


def render(directory: Path, kubectl: Path) -> list[Document]:
    """Render a kustomize directory; no cluster is asked.

    Args:
        directory: has a kustomization.yaml, for example manifests/services/gpu/gemma-2b-it/overlays/local.
        kubectl: the program; the stack has one.

    Raises:
        UserError: kustomize refuses the directory, in its own words.
    """
    try:
        done = subprocess.run(
            [str(kubectl), "kustomize", str(directory)], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except FileNotFoundError:
        raise UserError(
            f"kubectl at {kubectl}, to render {directory}", "no such program", next_step="make stack"
        ) from None
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"a kustomize directory that renders: {directory}",
            (error.stderr or error.stdout).strip()[-1500:],
            next_step=f"{kubectl} kustomize {directory}",
        ) from None
    return [document for document in yaml.safe_load_all(done.stdout) if document]
