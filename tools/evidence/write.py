"""Evidence as files, and the last door before anybody sees a run's files."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.evidence.collect import Evidence
from tools.redact import Redactor

_LONGEST = 120


def write(evidence: Evidence, directory: Path, stem: str, redactor: Redactor) -> list[Path]:
    """Write a text for people and the objects as YAML; files of an earlier failure under the same stem are replaced.

    Args:
        evidence: what was collected.
        directory: is made if need be.
        stem: whatever names the case, for example pytest's id of it.
        redactor: hides secrets.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = safe_name(stem)
    head = f"{stem}\ntaken at {evidence.taken:%Y-%m-%dT%H:%M:%SZ} in {evidence.seconds:.1f} s"
    contents = "\n\n".join(f"=== {title}\n{text}" for title, text in evidence.texts.items())
    files = [directory / f"{name}.txt"]
    _replace(files[0], redactor.text(f"{head}\n\n{contents}\n").encode(errors="surrogateescape"))
    if evidence.objects:
        files.append(directory / f"{name}.objects.yaml")
        _replace(files[1], redactor.text(f"{evidence.objects}\n").encode(errors="surrogateescape"))
    return files


def safe_name(stem: str) -> str:
    """A file's name for any text: different texts have different names. Pure."""
    name = re.sub(r"[^\w.\[\]-]+", ".", stem, flags=re.ASCII).strip(".")
    # What a path and a pytest id consist of may be replaced without telling; anything else, or a cut, is told apart.
    if len(name) <= _LONGEST and re.fullmatch(r"[\w.\[\]:/-]*", stem, flags=re.ASCII) and name:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(stem.encode(errors='surrogateescape')).hexdigest()[:8]}".lstrip("-.")


def scan(directory: Path, secrets: Iterable[str]) -> list[Path]:
    """Look for known secrets in every file below a directory, and hide those that are found.

    The end of a run calls it before anything is summed up, signed or published; each file that it gives is trouble.

    Args:
        directory: for example a run's reports; or one file.
        secrets: values that must not be there in any form.

    Returns:
        Files that had a secret and have been rewritten, and those that could not be read or rewritten.
    """
    redactor = Redactor(secrets)
    return [
        file
        for file in (sorted(directory.rglob("*")) if directory.is_dir() else [directory])
        if file.is_file() and not file.is_symlink() and _had_secret(file, redactor)
    ]


def _had_secret(file: Path, redactor: Redactor) -> bool:
    try:
        found = file.read_bytes()
        if not redactor.knows(found):
            return False
        _replace(file, redactor.hidden(found))
    except OSError:
        return True
    return True


def _replace(file: Path, content: bytes) -> None:
    """Whole or not at all: a run may be killed while it writes."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".unfinished-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
