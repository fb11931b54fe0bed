"""What an answer says about a demand for a token. Pure."""

from tools.openai.fingerprint import SERVER, identify
from tools.openai.reply import Reply
from tools.probe.verdict import Verdict

_REFUSALS = (401, 403)


def refused(reply: Reply) -> str:
    """Why a request was not refused on its way; empty if it was."""
    if reply.verdict is not Verdict.HTTP:
        return "it was not answered at all"
    if reply.status not in _REFUSALS:
        return f"it was let in: HTTP {reply.status}"
    return "it was refused by the model server, so it went all the way" if identify(reply).who == SERVER else ""
