"""Runs other programs so that their output is kept, and so that an interrupted build leaves none of them behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_GRACE_SECONDS = 5.0


class StepFailed(Exception):
    """A program of a build step ended with an error.

    Args:
        command: what was run.
        status: its exit status.
        log: the file with its whole output.
    """

    def __init__(self, command: Sequence[str], status: int, log: Path) -> None:
        self.command = list(command)
        self.status = status
        self.log = log
        super().__init__(f"`{' '.join(command[:3])} …` ended with status {status}")


def run_logged(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] = lambda _line: None,
) -> None:
    """Run a program in a process group of its own, with its output appended to a log.

    Args:
        command: program and arguments.
        log: file that gets the output as it comes.
        env: additions to the environment.
        cwd: working directory.
        on_line: called with each line of output.

    Raises:
        StepFailed: the program ended with another status than 0.
        KeyboardInterrupt: passed on, after the whole group has ended.
    """
    with log.open("a") as file:
        file.write(f"$ {' '.join(command)}\n")
        file.flush()
        with subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    file.write(line)
                    file.flush()
                    on_line(line.rstrip("\n"))
                status = process.wait()
            except BaseException:
                end_group(process)
                raise
    if status != 0:
        raise StepFailed(command, status, log)


def end_group(process: "subprocess.Popen[str]") -> None:
    """End a process that leads its own group, and all of the group.

    First as Ctrl-C does, upon which Go and apt remove what is half done; then at once.
    """
    for how in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)
