"""Progress of long work that a person can follow: which step, how far, how long so far and how long it should take.

On a terminal it is one live line for each step; elsewhere (CI, a pipe) plain lines, for a step at most one in half a
minute.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_QUIET_SECONDS = 30.0
_TAIL_LINES = 15


class Step:
    """A step under way; given by `Steps.step`."""

    def __init__(self, tell: Callable[[int, int, str], None]) -> None:
        self._tell = tell

    def at(self, done: int, total: int, what: str) -> None:
        """Say how far it is: `done` of `total` of `what` (a plural: packages, files)."""
        self._tell(done, total, what)


class Steps:
    """Shows steps one after the other.

    Args:
        console: where to write; standard error by default, so that output of a command stays clean.
        clock: monotonic seconds.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = 0
        self._console = console or Console(stderr=True, highlight=False)
        self._clock = clock
        self._number = 0

    def expect(self, more: int) -> None:
        """Announce that so many steps are to come, so that each can be numbered `k of n`."""
        self._total += more

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(escape(text), soft_wrap=True)

    @contextmanager
    def step(self, name: str, *, expected_seconds: float = 0.0, log: Path | None = None) -> Iterator[Step]:
        """Show a step while the body runs.

        Args:
            name: what is being done.
            expected_seconds: how long it takes as a rule; 0 if unknown.
            log: file with the step's output; its end is shown if the step fails.
        """
        self._number += 1
        label = f"[{self._number:>2}/{self._total}] {name}"
        started = self._clock()
        show = self._live if self._console.is_terminal else self._plain
        try:
            with show(label, expected_seconds, started) as step:
                yield step
        except KeyboardInterrupt:
            self.say(f"{label}: stopped after {duration(self._clock() - started)}")
            raise
        except BaseException:
            self.say(f"{label}: FAILED after {duration(self._clock() - started)}")
            if log is not None:
                self._show_log(log)
            raise
        self.say(f"{label}: done in {duration(self._clock() - started)}")

    def _show_log(self, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        for line in lines[-_TAIL_LINES:]:
            self.say(f"    {line}")
        self.say(f"    whole log: {log}")

    @contextmanager
    def _live(self, label: str, expected: float, _started: float) -> Iterator[Step]:
        # No column may wrap: a live line of two lines jumps.
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(10),
            TextColumn("{task.fields[far]}", table_column=Column(no_wrap=True)),
        ]
        with Progress(*columns, _Times(expected), console=self._console, transient=True) as progress:
            task = progress.add_task(escape(label), total=None, far="")

            def tell(done: int, total: int, what: str) -> None:
                progress.update(task, completed=done, total=total, far=f"{done} of {total} {what}")

            yield Step(tell)

    @contextmanager
    def _plain(self, label: str, expected: float, started: float) -> Iterator[Step]:
        self.say(f"{label} …{f' usually {duration(expected)}' if expected >= _QUIET_SECONDS else ''}")
        last = started

        def tell(done: int, total: int, what: str) -> None:
            nonlocal last
            now = self._clock()
            if now - last >= _QUIET_SECONDS:
                last = now
                usual = f" of usually {duration(expected)}" if expected else ""
                self.say(f"{label}: {done} of {total} {what}, {duration(now - started)}{usual}")

        yield Step(tell)


class _Times(ProgressColumn):
    """Time so far, and what is usual."""

    def __init__(self, expected: float) -> None:
        super().__init__(Column(no_wrap=True))
        self._expected = expected

    def render(self, task: Task) -> Text:
        usual = f" of usually {duration(self._expected)}" if self._expected else ""
        return Text(f"{duration(task.elapsed or 0)}{usual}")


def duration(seconds: float) -> str:
    """A time as a person says it: `0.4 s`, `12 s`, `3 min 20 s`, `8 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return " ".join([*([f"{minutes} min"] if minutes else []), *([f"{rest} s"] if rest or not minutes else [])])
