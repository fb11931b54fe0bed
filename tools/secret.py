"""Text that must not be printed by accident, and the forms in which it may appear all the same."""

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

# Lines of a secret that has several, for logs that show one of them.
_SHORTEST_LINE = 16


class Secret(str):
    """A string that is used as any other and is shown, in a traceback or a list of values, as stars."""

    def __repr__(self) -> str:
        return "'***'"


def forms(value: str) -> set[str]:
    """A value as others may write it: encoded, escaped, quoted, or as a part of something encoded. Pure."""
    lines = [line.strip() for line in value.splitlines()]
    return {form for each in {value, *lines} if each == value or len(each) >= _SHORTEST_LINE for form in _forms(each)}


def _forms(value: str) -> Iterator[str]:
    yield value
    yield from _escaped(value)
    for encoded in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), encoded)
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield shlex.quote(value)[1:-1] if "'" in value else value
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value.encode(errors="surrogateescape")).decode()
        yield from _inside(value.encode(errors="surrogateescape"), encode)


def _escaped(value: str) -> Iterator[str]:
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        # Go's encoder; and JSON that is a string of JSON.
        yield once.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
        yield once.replace("/", "\\/")


def _inside(value: bytes, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """What is always the same of the base64 of a text that the value is a part of, for each place it may be at."""
    for before in range(3):
        whole = encode(b"\0" * before + value).decode()
        yield whole[(before * 8 + 5) // 6 : (before + len(value)) * 8 // 6]
