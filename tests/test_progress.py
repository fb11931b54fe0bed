"""Progress without a terminal: plain lines, not too many."""

import io

import pytest
from rich.console import Console

from tools.progress import Steps, duration


class Screen:
    """A console that is not a terminal, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self._file = io.StringIO()
        self.steps = Steps(Console(file=self._file, width=60), lambda: self.now)

    @property
    def lines(self) -> list[str]:
        return self._file.getvalue().splitlines()


def test_a_step_shows_its_number_what_is_usual_and_how_long_it_took() -> None:
    screen = Screen()
    screen.steps.expect(2)
    with screen.steps.step("kubernetes", expected_seconds=480):
        screen.now = 65
    assert screen.lines == ["[ 1/2] kubernetes … usually 8 min", "[ 1/2] kubernetes: done in 1 min 5 s"]


def test_how_far_it_is_is_told_twice_a_minute_at_most() -> None:
    screen = Screen()
    screen.steps.expect(1)
    with screen.steps.step("kubernetes") as step:
        for second in range(61):
            screen.now = second
            step.at(second, 100, "packages")
    told = [line for line in screen.lines if "packages" in line]
    assert told == ["[ 1/1] kubernetes: 30 of 100 packages, 30 s", "[ 1/1] kubernetes: 60 of 100 packages, 1 min"]


def test_a_name_in_brackets_is_shown_as_it_is() -> None:
    screen = Screen()
    screen.steps.say("[red]not a colour[/red]")
    assert screen.lines == ["[red]not a colour[/red]"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min"), (200, "3 min 20 s")]
)
def test_durations_read_as_a_person_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
