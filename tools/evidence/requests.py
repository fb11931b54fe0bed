"""The last requests of a case: what was asked, who answered, with which id."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from tools.evidence.detail import Kept
from tools.evidence.text import table, utc_now
from tools.openai.fingerprint import identify
from tools.openai.reply import Reply
from tools.probe.verdict import Verdict

_SIZE = 50
_TOLD_WHOLE = 3
_BODY = 2000


@dataclass(frozen=True)
class Sent:
    """A request that was sent.

    Attributes:
        number: its place among all, from 1.
        ended: when its reply was complete.
        reply: what came.
    """

    number: int
    ended: datetime
    reply: Reply


class RequestLog:
    """The last requests, from any number of clients and threads; `add` is a client's observer.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._lock = threading.Lock()
        self._sent: deque[Sent] = deque(maxlen=size)
        self._count = 0

    def add(self, reply: Reply) -> None:
        """One more exchange is over."""
        with self._lock:
            self._count += 1
            self._sent.append(Sent(self._count, utc_now(), reply))

    @property
    def sent(self) -> list[Sent]:
        """Those that are kept, oldest first."""
        with self._lock:
            return list(self._sent)

    @property
    def ids(self) -> set[str]:
        """Their request ids."""
        return {found for each in self.sent for found in request_ids(each.reply)}

    def told(self, kept: Kept) -> Iterator[str]:
        """All of them as a table, then the last failures and the very last one whole."""
        sent = self.sent
        if not sent:
            yield "this case has sent no request"
            return
        if sent[0].number > 1:
            yield f"the last {len(sent)} of {sent[-1].number} requests"
        yield table(("NO", "ENDED (UTC)", "REQUEST", "ANSWER", "BY", "SECONDS", "REQUEST IDS"), map(_row, sent))
        failed = [each for each in sent if each.reply.status != 200]
        whole = {each.number: each for each in [*failed[-_TOLD_WHOLE:], sent[-1]]}
        for each in whole.values():
            yield from _whole(each, kept)


def request_ids(reply: Reply) -> list[str]:
    """Ids under which components may have logged a request: as sent, as answered, and the server's own. Pure."""
    # vLLM's id of a completion is the header's value, as it was when it came to the server, behind a prefix.
    body = reply.json
    prefix, _, rest = str(body.get("id", "") if isinstance(body, dict) else "").partition("-")
    found = [reply.request.id, reply.headers.get("x-request-id", ""), rest if prefix in ("cmpl", "chatcmpl") else ""]
    return list(dict.fromkeys(each for each in found if each))


def _row(sent: Sent) -> tuple[str, ...]:
    reply = sent.reply
    return (
        str(sent.number),
        f"{sent.ended:%H:%M:%S.%f}"[:-3],
        f"{reply.request.method} {urlsplit(reply.request.url).path}",
        _answer(reply),
        identify(reply).who,
        f"{reply.seconds:.3f}",
        ", ".join(request_ids(reply)),
    )


def _answer(reply: Reply) -> str:
    return f"HTTP {reply.status}" if reply.verdict is Verdict.HTTP else f"{reply.verdict}: {reply.verdict.words}"


def _whole(sent: Sent, kept: Kept) -> Iterator[str]:
    reply = sent.reply
    found = identify(reply)
    yield f"\nrequest {sent.number}: {reply.request.method} {reply.request.url}"
    cause = f": {found.cause}" if found.cause and reply.status != 200 else ""
    yield f"  {_answer(reply)} by {found.who} after {reply.seconds:.3f} s{cause}"
    if reply.problem:
        yield f"  {reply.problem}"
    for name, value in sorted(reply.headers.items()):
        yield f"  < {name}: {value}"
    if not kept.bodies:
        yield f"  body: {len(reply.body)} characters (left out at this level of evidence)"
        yield f"  {replace(reply.request, body='').curl}"
        return
    cut = "" if len(reply.body) <= _BODY else f" [... {len(reply.body) - _BODY} characters more]"
    lines = [line for line in reply.body[:_BODY].splitlines() if line.strip()]
    yield "  body: " + ("\n        ".join(lines) or "(empty)") + cut
    yield f"  {reply.request.curl}"
