"""What was seen while something was waited for, to be told when it did not come."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.kube.errors import KubeError

# More would hide what matters; the first say how it began, the last where it ended.
_FIRST, _LAST = 4, 6
_LONGEST = 240
# What differs between two looks at the same thing: durations, versions, request ids.
_RESTLESS = re.compile(r"\b\d+\.\d+ s\b|resourceVersion \d+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class NotObserved(KubeError):
    """Nothing can be said about what was waited for, because the API server did not answer for most of the time."""


@dataclass
class _Seen:
    text: str
    first: float
    last: float
    count: int = 1

    def __str__(self) -> str:
        if self.count == 1:
            return f"at {self.first:.1f} s: {self.text}"
        return f"{self.first:.1f} s to {self.last:.1f} s, {self.count} times: {self.text}"


class History:
    """Distinct observations with their times, and errors of the API server beside them.

    Args:
        clock: seconds; times are told since its making.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._seen: dict[str, _Seen] = {}
        self._latest: float | None = None
        self._errors = 0
        self._error = ""
        self._error_at = 0.0

    @property
    def seconds(self) -> float:
        """How long it has been waited."""
        return self._clock() - self._began

    @property
    def unseen(self) -> float:
        """How long ago something was last seen."""
        return self.seconds - (self._latest or 0.0)

    def saw(self, text: str) -> None:
        """Something was observed now."""
        text = " ".join(text.split())
        shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …"
        self._latest = self.seconds
        key = _RESTLESS.sub("…", text)
        if known := self._seen.get(key):
            known.text, known.last, known.count = shown, self._latest, known.count + 1
        else:
            self._seen[key] = _Seen(shown, self._latest, self._latest)

    def failed(self, error: KubeError) -> None:
        """The API server did not let it be observed."""
        self._errors += 1
        self._error, self._error_at = str(error), self.seconds

    def lines(self) -> str:
        """Everything, as rows to be read below the failure."""
        seen = sorted(self._seen.values(), key=lambda each: each.first)
        rows = [str(each) for each in seen]
        if len(rows) > _FIRST + _LAST:
            left_out = len(rows) - _FIRST - _LAST
            rows = [*rows[:_FIRST], f"({left_out} others in between)", *rows[-_LAST:]]
        told = f"{'seen:':<16}" + ("\n" + " " * 16).join(rows or ["nothing"])
        if self._errors:
            told += f"\n{'last API error:':<16}at {self._error_at:.1f} s ({self._errors} in all): {self._error}"
        return told


def passes_by(error: KubeError) -> bool:
    """Whether the API server may answer in a moment: no answer, too many requests, or trouble of its own."""
    unanswered = error.status == 0 or error.status == 429 or error.status >= 500
    return unanswered and not isinstance(error, NotObserved)
