"""What came of a probe: one vocabulary for connections, requests and policies. Never a bool."""

from enum import StrEnum
from typing import NoReturn


class ProbeFailed(Exception):
    """The probe itself did not work, so nothing is known about what it was to ask."""


class Verdict(StrEnum):
    """How an exchange ended.

    "It did not come through" is no answer: a server that is dead, a name that does not resolve and a policy that drops
    packets look the same to a program that only knows yes and no.

    Attributes:
        ALLOWED: the connection was made; nothing was asked over it.
        HTTP: an HTTP answer came; its status is beside the verdict.
        DROPPED: nothing came back in time.
        REFUSED: somebody said at once that nothing listens there.
        RESET: the connection was made, and cut before the answer was whole.
        UNREACHABLE: there is no way there, or no such name.
        UNTRUSTED: the connection was made, and the two sides did not agree on TLS.
        PROBE_FAILED: the probe itself did not work; says nothing about what it was to ask.
    """

    ALLOWED = "ALLOWED"
    HTTP = "HTTP"
    DROPPED = "DROPPED"
    REFUSED = "REFUSED"
    RESET = "RESET"
    UNREACHABLE = "UNREACHABLE"
    UNTRUSTED = "UNTRUSTED"
    PROBE_FAILED = "PROBE_FAILED"

    def __bool__(self) -> NoReturn:
        """Refuse: `if verdict` would take a dead server for a policy that works."""
        raise TypeError(f"a verdict is compared with another one, and is never true or false: {self}")

    @property
    def words(self) -> str:
        """The same for a sentence."""
        return _WORDS[self]


_WORDS = {
    Verdict.ALLOWED: "the connection was made",
    Verdict.HTTP: "an HTTP answer came",
    Verdict.DROPPED: "no answer in time",
    Verdict.REFUSED: "connection refused",
    Verdict.RESET: "connection cut",
    Verdict.UNREACHABLE: "no way there",
    Verdict.UNTRUSTED: "no agreement on TLS",
    Verdict.PROBE_FAILED: "the probe itself did not work",
}
