"""Tables inside hand-written pages that are made of code: `python -m tools.tables` puts them in anew."""

from pathlib import Path

from tools import rbac
from tools.paths import CHECKOUT
from tools.waiting import timeouts

_PAGES = {CHECKOUT / "docs" / "timeouts.md": timeouts.table, CHECKOUT / "docs" / "clusters.md": rbac.table}


def with_table(page: str, table: str) -> str:
    """A page with the table that has the same head, put in anew.

    Raises:
        ValueError: the page has no such table.
    """
    head = table.split("\n", 1)[0]
    lines = page.splitlines(keepends=True)
    start = next((place for place, line in enumerate(lines) if line.rstrip("\n") == head), None)
    if start is None:
        raise ValueError(f"no table with the head {head}")
    end = next((place for place in range(start, len(lines)) if not lines[place].startswith("|")), len(lines))
    return "".join([*lines[:start], table, *lines[end:]])


def write(pages: dict[Path, str]) -> None:
    """Write each page with its table."""
    for path, table in pages.items():
        path.write_text(with_table(path.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    write({path: table() for path, table in _PAGES.items()})
