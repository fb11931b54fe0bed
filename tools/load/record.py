"""What one request left behind: when it was to be sent, when each part came, how it ended. Pure.

The names are those of the field (intended and sent time, first token, error kinds). All times are nanoseconds of one
monotonic clock, so that records of several threads can be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict

NANOSECONDS = 1_000_000_000
POD = "x-inference-pod"


class ErrorKind(StrEnum):
    """How a request failed.

    Attributes:
        NONE: it did not.
        CONNECT: no connection could be had.
        RESET: the connection ended before an answer began.
        TIMEOUT: nothing came for too long.
        HTTP: another status than 200.
        IN_BAND: an error inside a 200.
        TRUNCATED: a 200 that ends before its last token: no finish reason, no [DONE], or a cut connection.
        UNTOLD: the instrument itself could not ask; it says nothing about the service.
    """

    NONE = ""
    CONNECT = "connect"
    RESET = "reset"
    TIMEOUT = "timeout"
    HTTP = "http"
    IN_BAND = "in-band"
    TRUNCATED = "truncated"
    UNTOLD = "untold"


@dataclass(frozen=True)
class RequestRecord:
    """A request and its end.

    Attributes:
        request: what was asked, with its id.
        streamed: whether a stream was asked for.
        intended_ns: when it was to be sent by the schedule.
        sent_ns: when it was begun with.
        headers_ns, first_token_ns, last_token_ns: when these came; None if they never did.
        eof_ns: when it ended, well or not.
        status: HTTP status; 0 if none came.
        headers: of the answer, names in lower case.
        body: the answer's text; of a stream all that came, which is short enough here.
        tokens: events with text that came.
        finish_reason: as the answer says; empty if it does not.
        error_kind: how it failed.
        problem: what was raised, in the words of who saw it.
    """

    request: Request
    streamed: bool
    intended_ns: int
    sent_ns: int
    eof_ns: int
    headers_ns: int | None = None
    first_token_ns: int | None = None
    last_token_ns: int | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    tokens: int = 0
    finish_reason: str = ""
    error_kind: ErrorKind = ErrorKind.NONE
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was answered whole: 200, every token, a finish reason, the stream's [DONE]."""
        return self.error_kind is ErrorKind.NONE

    @property
    def pod(self) -> str:
        """The server that answered, by its own word; empty where none says so."""
        return self.headers.get(POD, "")

    @property
    def seconds(self) -> float:
        """From being sent to its end."""
        return (self.eof_ns - self.sent_ns) / NANOSECONDS

    @property
    def user_agent(self) -> str:
        """What it called itself, which is different for each."""
        return self.request.headers.get("User-Agent", "")

    @property
    def late(self) -> float:
        """Seconds by which it was sent later than it was to be: the fault of who sends."""
        return (self.sent_ns - self.intended_ns) / NANOSECONDS

    def in_flight(self, at_ns: int) -> bool:
        """Whether it had been sent and had not ended."""
        return self.sent_ns <= at_ns < self.eof_ns

    @property
    def reply(self) -> Reply:
        """The same as the fingerprints of answers read it."""
        verdict = _VERDICTS.get(self.error_kind, Verdict.HTTP)
        if self.error_kind is ErrorKind.TRUNCATED and self.problem:
            verdict = Verdict.RESET
        status = self.status if verdict is Verdict.HTTP else 0
        came = f", after HTTP {self.status} and {len(self.body)} bytes of its body" if self.status else ""
        problem = f"{self.problem}{came}" if verdict is not Verdict.HTTP else ""
        return Reply(self.request, verdict, status, self.headers, self.body, self.seconds, problem)


_VERDICTS = {
    ErrorKind.CONNECT: Verdict.REFUSED,
    ErrorKind.RESET: Verdict.RESET,
    ErrorKind.TIMEOUT: Verdict.DROPPED,
    ErrorKind.UNTOLD: Verdict.PROBE_FAILED,
}


def judged(status: int, *, whole: bool, finish_reason: str, in_band: str) -> ErrorKind:
    """How an answer that came without a broken connection failed, if it did. Pure.

    Args:
        status: HTTP status.
        whole: of a stream whether [DONE] came, of any other answer whether it is JSON with choices.
        finish_reason: as it says.
        in_band: the error inside it.
    """
    if status != 200:
        return ErrorKind.HTTP
    if in_band:
        return ErrorKind.IN_BAND
    return ErrorKind.NONE if whole and finish_reason else ErrorKind.TRUNCATED
