"""A body in pieces, as a client sends one whose length it does not know beforehand. Pure."""

from collections.abc import Iterator

# Small enough that bodies of a few words come in several, and that a character of several bytes may be cut.
_BYTES = 31


def pieces(body: str) -> Iterator[bytes]:
    """A body as UTF-8, in pieces."""
    whole = body.encode()
    for start in range(0, len(whole), _BYTES):
        yield whole[start : start + _BYTES]
