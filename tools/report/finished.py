"""A finished run as it lies in its directory: the record, and a checksum of every file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.report.record import RunRecord, load
from tools.report.write import RUN

SIGNOFF = "signoff.json"
_REPORTS = CHECKOUT / "reports"
_NAMED_AT_MOST = 5


@dataclass(frozen=True)
class FinishedRun:
    """A run.

    Attributes:
        directory: of its reports.
        record: `run.json`.
        files: SHA-256 of every file but `signoff.json`, by path relative to the directory.
    """

    directory: Path
    record: RunRecord
    files: Mapping[str, str]


def locate(run: str) -> Path:
    """The directory of a run.

    Args:
        run: its id, or the directory.

    Raises:
        UserError: there is no such directory.
    """
    candidates = [Path(run), _REPORTS / run]
    if found := next((path for path in candidates if path.is_dir()), None):
        return found
    there = sorted((path.parent.name for path in _REPORTS.glob(f"*/{RUN}")), reverse=True)
    raise UserError(
        f"a run of {_REPORTS}, or the directory of one",
        f"{run}: neither; the latest there: {', '.join(there[:_NAMED_AT_MOST]) or 'none'}",
        next_step="name one of these",
    )


def read_run(directory: Path) -> FinishedRun:
    """A run from its directory.

    Raises:
        UserError: there is no usable run.json, or something there is no plain file.
    """
    path = directory / RUN
    try:
        record = load(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise UserError(
            f"the record of a run: {path}",
            "there is none",
            cause="the run was killed, or this is no directory of a run",
            next_step="name a run of reports/, or run the cases again",
        ) from None
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"the record of a run in {path}",
            f"{error}",
            cause="another version of the suite wrote it, or it was changed since",
            next_step="use the commit of the suite that made the run, or run the cases again",
        ) from None
    return FinishedRun(directory, record, checksums(directory))


def checksums(directory: Path) -> dict[str, str]:
    """SHA-256 of every file of a run's directory but `signoff.json`, by path relative to it.

    Raises:
        UserError: something there is neither file nor directory, so that its content may be elsewhere.
    """
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise UserError(
                f"plain files in {directory}", f"{path} is none", next_step="remove it, then the same again"
            )
        if path.is_file() and path != directory / SIGNOFF:
            found[str(path.relative_to(directory))] = checksum(path)
    return found


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
