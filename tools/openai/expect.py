"""Assertions about replies; their failures say who answered, why probably, and how to ask again by hand."""

from tools.explain import Violation
from tools.openai.fingerprint import identify
from tools.openai.reply import Reply
from tools.probe.verdict import ProbeFailed, Verdict


def expect_status(reply: Reply, status: int, promise: str, *, by: str = "", next_step: str = "") -> None:
    """Fail unless a reply has a status, and comes from a component if `by` names one.

    Args:
        reply: what came.
        status: the wanted HTTP status.
        promise: what should have happened, in words.
        by: one of the constants of `tools.openai.fingerprint`, where who answers is part of the promise.
        next_step: a command; by default the request as `curl`, which is shown in any case.

    Raises:
        Violation: it has not.
        ProbeFailed: the service was not asked at all.
    """
    __tracebackhide__ = True
    found = identify(reply)
    if reply.verdict is Verdict.HTTP and reply.status == status and by in ("", found.who):
        return
    expected = f"{promise}: {status}{f' from {by}' if by else ''}"
    raise violation(reply, expected, next_step=next_step)


def violation(reply: Reply, expected: str, observed: str = "", *, next_step: str = "") -> Violation:
    """A broken promise about a reply.

    Args:
        reply: what came.
        expected: what was promised.
        observed: what is wrong about it; by default its status and body.
        next_step: a command; by default the request as `curl`.

    Raises:
        ProbeFailed: the service was not asked at all, so that nothing is broken.
    """
    found = identify(reply)
    curl = reply.request.curl
    if reply.verdict is Verdict.PROBE_FAILED:
        raise ProbeFailed(f"{reply.summary}; probable cause: {found.cause}; next: {curl}")
    seen = f"{observed}; {reply.summary}" if observed else reply.summary
    return Violation(
        expected,
        f"{seen}; answered by {found}",
        cause=found.cause,
        next_step=next_step or curl,
        details=f"request:        {curl}" if next_step else "",
    )
