"""Writes the reports of a run: each whole or not at all, and each whatever becomes of the others."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from tools.report import conformance, junit, summary
from tools.report.record import RunRecord, dump
from tools.report.text import one_line

RUN = "run.json"


def as_json(record: RunRecord) -> str:
    """The record as `run.json` has it."""
    return json.dumps(dump(record), indent=1, ensure_ascii=False) + "\n"


REPORTS: dict[str, Callable[[RunRecord], str]] = {
    RUN: as_json,
    conformance.FILE: conformance.render,
    "junit.xml": junit.render,
    "summary.html": summary.render,
}


def write_all(record: RunRecord, directory: Path) -> tuple[str, ...]:
    """Write every report of a run.

    Args:
        record: of the run.
        directory: of the run's reports; made if it is not there.

    Returns:
        what could not be written, one line each; empty when everything was.
    """
    return write_reports(record, directory, REPORTS)


def write_reports(
    record: RunRecord, directory: Path, reports: dict[str, Callable[[RunRecord], str]]
) -> tuple[str, ...]:
    """Write some reports; the arguments are those of `write_all`, and file names with what makes their content."""
    return tuple(line for name, make in reports.items() if (line := _write(record, directory / name, make)))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees a part of it.

    Raises:
        OSError: it cannot be written; then nothing of it is there, and what was there before still is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # A lone surrogate (half a character, from a truncated body) has no UTF-8; JSON has this very escape for it.
        temporary.write_bytes(text.encode("utf-8", "backslashreplace"))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(record: RunRecord, path: Path, make: Callable[[RunRecord], str]) -> str:
    # Everything is caught: a bug in one page must cost neither the others nor the run's exit status.
    try:
        write_whole(path, make(record))
    except Exception as error:
        return f"{path.name} was not written: {one_line(f'{type(error).__name__}: {error}')}"
    return ""
