"""HTML put together so that no text of others can become markup: whatever is not `Markup` is escaped."""

from html import escape
from urllib.parse import quote

from tools.report.text import clean


class Markup(str):
    """Text that is HTML already; made by `tag` and `join` only."""


def tag(name: str, *children: str, **attributes: str) -> Markup:
    """An element.

    Args:
        name: of the element; not a void one.
        children: elements, or text, which is escaped.
        attributes: `class_` is `class`, underscores within are hyphens; empty ones are left out.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(clean(value))}"' for key, value in attributes.items() if value
    )
    return Markup(f"<{name}{told}>{join(*children)}</{name}>")


def join(*children: str) -> Markup:
    """Elements and texts one after the other."""
    return Markup("".join(each if isinstance(each, Markup) else escape(clean(each), quote=False) for each in children))


def icon(name: str) -> Markup:
    """A symbol of page.html; the word beside it says the same."""
    return Markup(f'<svg class="icon" aria-hidden="true"><use href="#i-{quote(name)}"/></svg>')


def badge(kind: str, text: str) -> Markup:
    """A word with its symbol and colour.

    Args:
        kind: class and symbol: `passed`, `failed`, `known-issue`, `broken`, `skipped`, `not-supported`, `not-run`.
        text: the word.
    """
    return tag("span", icon(kind), text, class_=f"badge {kind}")


def fold(summary: str, *children: str, class_: str = "") -> Markup:
    """Something to unfold; on paper it is unfolded."""
    return tag("details", tag("summary", summary), *children, class_=class_)


def command(text: str) -> Markup:
    """A shell line that one click selects as a whole."""
    return tag("pre", tag("code", text), class_="command", tabindex="0")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], caption: str, class_: str = "") -> Markup:
    """A table; on a phone each row is a block of `column: value` lines.

    Args:
        head: names of the columns; the first cell of a row names the row.
        rows: cells, as many as there are columns.
        caption: said by screen readers only.
        class_: more classes.
    """
    # The roles are said because blocks on a phone would take them away.
    header = tag("tr", *(tag("th", each, scope="col", role="columnheader") for each in head), role="row")
    body = [
        tag(
            "tr",
            tag("th", tag("div", row[0]), scope="row", role="rowheader"),
            *(
                tag("td", tag("div", cell), data_label=name, role="cell")
                for name, cell in zip(head[1:], row[1:], strict=True)
            ),
            role="row",
        )
        for row in rows
    ]
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", header, role="rowgroup"),
        tag("tbody", *body, role="rowgroup"),
        role="table",
        class_=class_,
    )


def local_link(path: str) -> Markup:
    """A link to a file beside the page; never to anywhere else, whatever the path says."""
    return tag("a", path, href=f"./{quote(path.lstrip('/'), errors='replace')}")
