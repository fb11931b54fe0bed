"""The rows of a failure's text, as `tools.explain` and `tools.errors` write them, taken apart again for a report."""

import re
from dataclasses import dataclass

_ROW = re.compile(r"^ {0,2}(expected|observed|probable cause|next):\s+(.*)$")
_INDENT = re.compile(r"^ {16,18}")


@dataclass(frozen=True)
class Explanation:
    """A failure in its parts; a part that the text does not have is empty.

    Attributes:
        expected: what was promised.
        observed: what was seen, and where.
        cause: the probable cause.
        next_step: the next command.
        rest: everything else, such as conditions or a stack trace.
    """

    expected: str = ""
    observed: str = ""
    cause: str = ""
    next_step: str = ""
    rest: str = ""


def take_apart(details: str) -> Explanation:
    """The parts of a failure's text; a text without rows is all `rest`."""
    rows: dict[str, list[str]] = {}
    rest: list[str] = []
    current: list[str] | None = None
    for line in details.splitlines():
        found = _ROW.match(line)
        if found and found[1] not in rows:
            current = rows[found[1]] = [found[2]]
        elif current is not None and line:
            current.append(_INDENT.sub("", line))
        else:
            # An empty line ends the rows: what follows is evidence.
            current = None
            rest.append(line)
    expected, observed, cause, next_step = (
        "\n".join(rows.get(label, [])).strip() for label in ("expected", "observed", "probable cause", "next")
    )
    return Explanation(expected, observed, cause, next_step, "\n".join(rest).strip())
