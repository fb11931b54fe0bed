"""Who answered, and what that says about the cause. Pure."""

import json
from dataclasses import dataclass

from tools.openai.causes import CAUSES
from tools.openai.marks import (
    AUTH_REASON,
    DROPPED_REASON,
    GATEWAY,
    LOAD_BALANCER,
    NOBODY,
    PICKER,
    PROXY,
    SERVER,
    SIDECAR,
    UNKNOWN,
    sender,
    through_picker,
)
from tools.openai.reply import Reply

__all__ = [
    "GATEWAY",
    "LOAD_BALANCER",
    "NOBODY",
    "PICKER",
    "PROXY",
    "SERVER",
    "SIDECAR",
    "UNKNOWN",
    "Fingerprint",
    "identify",
]

# Whose default a time-out of this many seconds is.
_TIMEOUTS = {
    15: "15 s is Envoy's default for a route",
    30: "30 s is the default of GKE's backends (timeoutSec of a GCPBackendPolicy) and of OpenShift's router",
    60: "60 s is the default of load balancers of AWS and of nginx",
}
_CUT_BY_DONE = "the stream ends without [DONE]: it was cut by a picker or server that ended, or by a time-out"


@dataclass(frozen=True)
class Fingerprint:
    """Who answered a request.

    Attributes:
        who: one of the constants of this module.
        cause: the probable cause where the answer is not the wanted one; empty if unknown.
        through_picker: whether it certainly went through the endpoint picker; False says nothing.
    """

    who: str
    cause: str = ""
    through_picker: bool = False

    def __str__(self) -> str:
        return f"{self.who}{', through the picker' if self.through_picker else ''}"


def identify(reply: Reply) -> Fingerprint:
    """Tell who sent a reply."""
    who, cause = _by_its_own_words(reply) or _by_table(reply)
    return Fingerprint(who or sender(reply), cause, through_picker(reply))


def _by_table(reply: Reply) -> tuple[str, str]:
    return next(((each.who, each.cause) for each in CAUSES if each.matches(reply)), ("", ""))


def _by_its_own_words(reply: Reply) -> tuple[str, str] | None:
    """What only the reply itself can say: a reason in a header, the time that it took, an error in a good answer."""
    if reason := reply.headers.get(DROPPED_REASON):
        return PICKER, f"the picker dropped it, and says why: {reason}"
    if reason := reply.headers.get(AUTH_REASON):
        return GATEWAY, f"an auth policy refused it (Authorino): {reason}"
    if reply.status == 504:
        return "", _timed_out(reply.seconds)
    if reply.status == 200:
        return "", _in_a_good_answer(reply)
    return None


def _timed_out(seconds: float) -> str:
    known = next((f"; {words}" for value, words in _TIMEOUTS.items() if abs(seconds - value) < 1), "")
    return f"a timeout of the route, the gateway or a load balancer, shorter than the answer{known}"


def _in_a_good_answer(reply: Reply) -> str:
    if error := _error_in(reply):
        return f"an error inside a 200: {error[:200]}"
    if not reply.headers.get("content-type", "").startswith("text/event-stream"):
        return ""
    if "content-length" in reply.headers:
        return "somebody collected the stream before passing it on: the picker's ext_proc, or a proxy that buffers"
    return "" if "data: [DONE]" in reply.body or "data:[DONE]" in reply.body else _CUT_BY_DONE


def _error_in(reply: Reply) -> str:
    """The error that an answer with status 200 carries, whole or as an event of its stream."""
    texts = [reply.body, *(line.removeprefix("data:") for line in reply.body.splitlines() if line.startswith("data:"))]
    for text in texts:
        if '"error"' not in text:
            continue
        try:
            found = json.loads(text)
        except ValueError:
            continue
        error = found.get("error") if isinstance(found, dict) else None
        if error:
            return str(error.get("message", error)) if isinstance(error, dict) else str(error)
        if isinstance(found, dict) and found.get("object") == "error":
            return str(found.get("message", found))
    return ""
