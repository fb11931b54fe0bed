"""What the bytes of an answer say, as they come: tokens, finish reason, error, end. Pure."""

import json
from typing import Any

DONE = "[DONE]"


class Answer:
    """An answer to a completion, whole or streamed, read piece by piece; a piece may end anywhere.

    Args:
        streamed: whether it is read as server-sent events.

    Attributes:
        tokens: events with text so far.
        finish_reason: of its first choice; empty before it came.
        in_band: the error that it carries; empty if none.
        whole: whether its last part has come: [DONE] of a stream, valid JSON with choices of any other.
    """

    def __init__(self, *, streamed: bool) -> None:
        self._streamed = streamed
        self._rest = b""
        self._all = bytearray()
        self.tokens = 0
        self.finish_reason = ""
        self.in_band = ""
        self.whole = False

    @property
    def text(self) -> str:
        """All that came."""
        return self._all.decode(errors="replace")

    def feed(self, piece: bytes) -> int:
        """Read the next piece; returns how many events with text ended in it."""
        self._all += piece
        if not self._streamed:
            return 0
        before = self.tokens
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip().decode(errors="replace"))
        return self.tokens - before

    def end(self) -> None:
        """Nothing more comes."""
        if not self._streamed or not self._all.startswith(b"data:"):
            found = _decoded(self.text)
            if found is not None:
                self._take(found)
            self.whole = self.whole or bool(found and found.get("choices"))

    def _event(self, data: str) -> None:
        if data == DONE:
            self.whole = True
        elif (found := _decoded(data)) is not None:
            self._take(found)

    def _take(self, found: dict[str, Any]) -> None:
        if error := found.get("error"):
            self.in_band = str(error.get("message", error) if isinstance(error, dict) else error)
        for choice in found.get("choices") or []:
            self.tokens += bool(choice.get("text") or (choice.get("delta") or {}).get("content"))
            self.finish_reason = choice.get("finish_reason") or self.finish_reason


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
