"""All cases there are, read from the suites themselves, whatever a command line selects."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.cases.case import MARK, Case, read
from tools.paths import CHECKOUT

SUITES = CHECKOUT / "suites"


def all_cases(suites: Path = SUITES) -> list[Case]:
    """Every case of the checkout, by area and then as they stand in their files.

    Raises:
        ValueError: a test function has no mark, or one with wrong arguments.
    """
    return [case for path in sorted(suites.rglob("test_*.py")) for case in _of_file(path, suites)]


def _of_file(path: Path, suites: Path) -> Iterator[Case]:
    module = importlib.import_module(".".join(path.relative_to(suites.parent).with_suffix("").parts))
    for name, value in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(value):
            yield of_function(value, inspect.signature(value).parameters, path, suites)


def of_function(function: Callable[..., Any], fixtures: Any, path: Path, suites: Path) -> Case:
    """The case that a test function is.

    Args:
        function: the function.
        fixtures: names of the fixtures that it uses.
        path: its file.
        suites: the directory of all suites.

    Raises:
        ValueError: it has no mark, or one with wrong arguments; with the place.
    """
    where = f"{path.relative_to(suites.parent)}:{function.__code__.co_firstlineno}"
    marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == MARK]
    if len(marks) != 1:
        raise ValueError(f"{where}: {function.__name__} needs one @pytest.mark.{MARK}(…), and has {len(marks)}")
    if marks[0].args:
        raise ValueError(f"{where}: the mark {MARK} takes keywords only")
    area, *below = path.relative_to(suites).parts
    if not below:
        raise ValueError(f"{where}: it is in no area: a case is in suites/AREA/test_TOPIC.py")
    try:
        return read(marks[0].kwargs, function, fixtures, area, where)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
