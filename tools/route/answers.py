"""Requests of a kind, each with whom it may be answered by and how: asked all, judged together. Pure but for asking."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.explain import Violation, bullets
from tools.openai.fingerprint import identify
from tools.openai.reply import Reply
from tools.probe.verdict import ProbeFailed, Verdict


@dataclass(frozen=True)
class Right:
    """An answer that is right.

    Attributes:
        who: one of the constants of `tools.openai.fingerprint`.
        statuses: any of these; empty for any below 500.
    """

    who: str
    statuses: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{' or '.join(map(str, self.statuses)) or 'below 500'} from {self.who}"

    def covers(self, reply: Reply) -> bool:
        """Whether a reply is so."""
        good = reply.status in self.statuses if self.statuses else 0 < reply.status < 500
        return good and identify(reply).who == self.who


@dataclass(frozen=True)
class Row:
    """A request that is made to see who answers it.

    Attributes:
        what: in a word or two.
        ask: makes it.
        right: any of these is right.
    """

    what: str
    ask: Callable[[], Reply]
    right: tuple[Right, ...]


def expect_rows(rows: Iterable[Row], expected: str, next_step: str = "") -> list[Reply]:
    """Make all requests, and fail unless each is answered by whom it must be.

    Args:
        rows: the requests.
        expected: the promise, in words.
        next_step: a command; by default the first wrong request as `curl`.

    Raises:
        Violation: with every wrong answer, and the causes of them all.
        ProbeFailed: a request did not leave this machine.
    """
    __tracebackhide__ = True
    asked = [(row, row.ask()) for row in rows]
    if failed := [reply for _, reply in asked if reply.verdict is Verdict.PROBE_FAILED]:
        raise ProbeFailed(failed[0].summary)
    wrong = [(row, reply) for row, reply in asked if not any(each.covers(reply) for each in row.right)]
    if not wrong:
        return [reply for _, reply in asked]
    lines = [
        f"{row.what}: {reply.summary}; answered by {identify(reply)}, not {' or '.join(map(str, row.right))}"
        for row, reply in wrong
    ]
    causes = list(dict.fromkeys(identify(reply).cause or _past(reply) for _, reply in wrong))
    raise Violation(
        expected,
        bullets(lines),
        cause=bullets([each for each in causes if each]) if any(causes) else "",
        next_step=next_step or wrong[0][1].request.curl,
    )


def _past(reply: Reply) -> str:
    """Why somebody answers well who should not have been asked."""
    return "a route of this service or of another matches more than it should" if 0 < reply.status < 400 else ""
